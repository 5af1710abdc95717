"""The document says what is enforced, in words that generators of clients understand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import jsonschema
import pytest
import yaml

from accounts.models import User
from tasks import errors, registry
from tasks.api.pagination import cursor_of
from tasks.management.commands.openapi import STORED
from tests.api.conftest import ECHO, JSON, MakeClient

pytestmark = pytest.mark.django_db

ID = "01900000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(STORED.read_text())
    return found


def schemas_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and those in it; what is only an example is none."""
    if isinstance(value, dict):
        yield value
        for name, member in value.items():
            if name not in {"example", "examples", "properties"}:
                yield from schemas_in(member)
            elif name == "properties":
                for part in member.values():
                    yield from schemas_in(part)
    elif isinstance(value, list):
        for member in value:
            yield from schemas_in(member)


def test_titles_are_names_of_components_alone(document: dict[str, Any]) -> None:
    for name, component in document["components"]["schemas"].items():
        assert [found["title"] for found in schemas_in(component) if "title" in found] == [name]


def test_no_field_has_a_default_that_generators_take_for_a_promise(document: dict[str, Any]) -> None:
    parameters = [
        parameter["schema"]
        for methods in document["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", [])
    ]
    assert not [found for found in schemas_in([document["components"]["schemas"], parameters]) if "default" in found]
    described = document["components"]["schemas"]["PdfExtractInput"]["properties"]["ocr"]["description"]
    assert described.endswith('default: "auto"')


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("pdf.extract", {}),
        ("pdf.extract", {"url": "https://example.com/a.pdf"}),
        ("pdf.extract", {"url": "https://example.com/a.pdf", "pages": "1-3, 5,7-"}),
        ("pdf.extract", {"url": "https://example.com/a.pdf", "pages": "0"}),
        ("pdf.extract", {"url": "https://example.com/a.pdf", "file": ID}),
        ("pdf.extract", {"url": "  ", "file": ID}),
        ("pdf.extract", {"url": " ", "file": None}),
        ("pdf.extract", {"url": "ftp://example.com/a.pdf"}),
        ("pdf.extract", {"url": "https://name:secret@example.com/a.pdf"}),
        ("http.request", {"url": "https://example.com"}),
        ("http.request", {"url": "example.com"}),
        ("http.request", {"url": "https://example.com", "body": "a"}),
        ("http.request", {"url": "https://example.com", "method": "POST", "body": "a"}),
        ("http.request", {"url": "https://example.com", "method": "POST", "body": "a", "json": None}),
        ("http.request", {"url": "https://example.com", "method": "POST", "body": "a", "json": []}),
        ("text.generate", {"max_tokens": 5}),
        ("text.generate", {"prompt": "a", "messages": []}),
        ("text.generate", {"prompt": "a", "messages": [{"role": "user", "content": "b"}]}),
        ("text.generate", {"prompt": " "}),
        ("pdf.batch", {}),
        ("pdf.batch", {"files": [ID]}),
        ("pdf.batch", {"files": [ID], "materials": {}}),
        ("pdf.batch", {"files": [ID], "materials": {"offer": [ID]}}),
    ],
)
def test_input_is_described_as_it_is_checked(document: dict[str, Any], name: str, given: Any) -> None:
    component = "".join(part.title() for part in name.split("."))
    schema = {"$ref": f"#/components/schemas/{component}Input", "components": document["components"]}
    try:
        registry.get_type(name).validate(given)
        taken = True
    except errors.InvalidInput:
        taken = False
    assert jsonschema.Draft202012Validator(schema).is_valid(given) == taken


def test_reference_may_stand_for_each_field_of_an_input(document: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/SubmitTask", "components": document["components"]}
    check = jsonschema.Draft202012Validator(schema)
    reference = {"$from": ID, "path": "text"}
    assert check.is_valid({"type": "diagnostic.echo", "input": {"message": reference}})
    assert check.is_valid({"type": "diagnostic.echo", "input": reference})
    assert check.is_valid({"type": "pdf.batch", "input": {"files": [ID, reference]}})
    assert not check.is_valid({"type": "diagnostic.echo", "input": {"message": reference | {"other": 1}}})
    assert not check.is_valid({"type": "diagnostic.echo", "input": {"words": "hello"}})


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/api/v1/tasks", UUID(ID)),
        ("/api/v1/files", UUID(ID)),
        ("/api/v1/tasks/{task_id}/events", 2**63 - 1),
        ("/api/v1/tasks/{task_id}/attempts", 1),
        ("/api/v1/task-types", "pdf.extract"),
        ("/api/v1/queues", "Grüße"),
    ],
)
def test_cursors_are_as_they_are_described(document: dict[str, Any], path: str, place: Any) -> None:
    parameters = document["paths"][path]["get"]["parameters"]
    [pattern] = [found["schema"]["pattern"] for found in parameters if found["name"] == "cursor"]
    assert re.search(pattern, cursor_of(place))
    assert not re.search(pattern, "nonsense")


@pytest.mark.parametrize("path", ["/api/v1/task-types", "/api/v1/queues", "/api/v1/tasks/{task}/attempts"])
def test_pages_follow_each_other(api: MakeClient, alice: User, submit: Any, path: str) -> None:
    client, address = api(alice), path.format(task=submit(alice)["id"])
    whole = client.get(address).json()["data"]
    paged, cursor = [], None
    while True:
        page = client.get(address, {"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        paged += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [found.get("name") for found in paged] == [found.get("name") for found in whole]


def test_number_without_a_fraction_is_a_whole_number(api: MakeClient, alice: User) -> None:
    body = ECHO | {"priority": 4.0, "timeout": 60.0, "metadata": {"price": 1.5}}
    task = api(alice).post("/api/v1/tasks", body, JSON).json()
    assert (task["priority"]["requested"], task["timeout"], task["metadata"]) == (4, 60, {"price": 1.5})
    refused = api(alice).post("/api/v1/tasks", ECHO | {"priority": 4.5}, JSON)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/priority")


@pytest.mark.parametrize("key", ["a", '"a"', '"a b"', "a b", '""', "", " ", '"', '"a', "ä", "x" * 255, "x" * 256])
def test_idempotency_key_is_described_as_it_is_checked(
    document: dict[str, Any], api: MakeClient, alice: User, key: str
) -> None:
    parameters = document["paths"]["/api/v1/tasks"]["post"]["parameters"]
    [pattern] = [found["schema"]["pattern"] for found in parameters if found["name"] == "Idempotency-Key"]
    # Refused whatever is asked: a preview does not use the key, and says that it is none.
    for address in ("/api/v1/tasks", "/api/v1/tasks?validate_only=true"):
        answer = api(alice).post(address, ECHO, JSON, headers={"Idempotency-Key": key})
        assert (answer.status_code < 300) == bool(re.search(pattern, key)), answer.content


@pytest.mark.parametrize("offset", ["+23:59", "-23:59", "+18:21"])
def test_time_of_any_offset_is_understood(api: MakeClient, alice: User, offset: str) -> None:
    client = api(alice)
    client.post("/api/v1/tasks", ECHO, JSON)
    answer = client.get("/api/v1/tasks", {"created_before": f"2154-12-21T04:30:31{offset}"})
    assert (answer.status_code, len(answer.json()["data"])) == (200, 1)
