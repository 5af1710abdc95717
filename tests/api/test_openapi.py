"""The stored OpenAPI document is up to date, and its examples are what it says."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError

from tasks import registry
from tasks.management.commands.openapi import STORED, document

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(STORED.read_text())
    return found


def validator(document: dict[str, Any], component: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{component}", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema)


def test_stored_document_is_what_the_code_says() -> None:
    assert document() == STORED.read_text(), "run `manage.py openapi` and commit docs/openapi.yaml"


def test_check_fails_on_another_document(tmp_path: Any) -> None:
    old = tmp_path / "openapi.yaml"
    old.write_text("openapi: 3.1.0\n")
    with pytest.raises(CommandError, match="not up to date"):
        call_command("openapi", old, check=True)
    call_command("openapi", old, verbosity=0)
    call_command("openapi", old, check=True)


def test_every_component_is_a_schema(stored: dict[str, Any]) -> None:
    for schema in stored["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", sorted(registry.all_types()))
def test_example_of_each_type_is_a_submission_of_that_type_alone(stored: dict[str, Any], name: str) -> None:
    submission = {"type": name, "input": dict(registry.all_types()[name].example)}
    validator(stored, "SubmitTask").validate(submission)
    [matching] = [
        option["$ref"].rpartition("/")[2]
        for option in stored["components"]["schemas"]["SubmitTask"]["oneOf"]
        if validator(stored, option["$ref"].rpartition("/")[2]).is_valid(submission)
    ]
    assert stored["components"]["schemas"]["SubmitTask"]["discriminator"]["mapping"][name].endswith(f"/{matching}")


def test_unknown_type_and_unknown_field_fit_no_submission(stored: dict[str, Any]) -> None:
    known = {"type": "diagnostic.echo", "input": {"message": "x"}}
    check = validator(stored, "SubmitTask")
    assert check.is_valid(known)
    assert not check.is_valid(known | {"type": "nope"})
    assert not check.is_valid(known | {"nope": 1})


def test_examples_fit_their_schemas(stored: dict[str, Any]) -> None:
    schemas = stored["components"]["schemas"]
    checked = 0
    for name, schema in schemas.items():
        for example in schema.get("examples", []):
            validator(stored, name).validate(example)
            checked += 1
    for example in stored["components"]["examples"].values():
        validator(stored, "Problem").validate(example["value"])
    assert checked > len(registry.all_types())


def test_every_answer_names_its_request(stored: dict[str, Any]) -> None:
    for methods in stored["paths"].values():
        for operation in methods.values():
            for answer in operation["responses"].values():
                found = answer
                if "$ref" in answer:
                    found = stored["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                assert "X-Request-Id" in found["headers"]
                assert found["description"]
