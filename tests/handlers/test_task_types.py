"""Every task type: its example and sample are valid, its result has a place for the engine."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tasks.errors import InvalidInput
from tasks.registry import all_types, get_type
from tasks.testing import SAMPLES


def filled(value: Any) -> Any:
    """Put an id in the place of every sample file, which must be there."""
    if isinstance(value, dict) and set(value) == {"$sample"}:
        assert (SAMPLES / value["$sample"]).is_file()
        return str(uuid4())
    if isinstance(value, dict) and set(value) == {"$portal"}:
        return f"https://portal.example.com{value['$portal']}"
    if isinstance(value, dict):
        return {key: filled(member) for key, member in value.items()}
    return [filled(member) for member in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", sorted(all_types()))
def test_example_and_sample_are_valid_inputs(name: str) -> None:
    definition = all_types()[name]

    definition.validate(dict(definition.example))
    assert definition.samples
    for sample in definition.samples:
        definition.validate(filled(dict(sample)))


def test_the_types_have_the_decided_queues_priorities_and_timeouts() -> None:
    decided = {
        "answer.complete": ("text", 5, 600),
        "diagnostic.echo": ("diagnostics", 5, 600),
        "diagnostic.fail": ("diagnostics", 5, 600),
        "diagnostic.sleep": ("diagnostics", 5, 600),
        "document.crosscheck": ("documents", 5, 600),
        "file.process": ("documents", 5, 600),
        "http.request": ("text", 5, 330),
        "image.analyze": ("images", 6, 600),
        "pdf.batch": ("documents", 4, 600),
        "pdf.extract": ("documents", 5, 600),
        "rag.query": ("text", 4, 900),
        "speech.transcribe": ("audio", 5, 600),
        "text.generate": ("text", 5, 600),
    }
    found = {name: (kind.queue, kind.priority, kind.timeout) for name, kind in all_types().items()}

    assert {name: found[name] for name in decided} == decided


@pytest.mark.parametrize("name", sorted(all_types()))
def test_schemas_can_be_made_into_a_form_and_documentation(name: str) -> None:
    definition = all_types()[name]

    for field in definition.input.model_json_schema()["properties"].values():
        assert "title" in field
    assert "engine" in definition.result.model_json_schema()["properties"]


@pytest.mark.parametrize("name", sorted(all_types()))
def test_every_id_in_an_input_is_declared_as_a_file(name: str) -> None:
    """Whose file it is, and whether a token may have it read, is asked of declared fields alone."""
    definition = all_types()[name]
    schema = definition.input.model_json_schema()
    assert "$defs" not in schema or '"uuid"' not in json.dumps(schema["$defs"])
    with_ids = {field for field, described in schema["properties"].items() if '"uuid"' in json.dumps(described)}

    assert with_ids == set(definition.file_fields())


def test_pointer_to_a_fault_escapes_what_means_something_in_pointers() -> None:
    with pytest.raises(InvalidInput) as refused:
        get_type("diagnostic.echo").validate({"message": "x", "a/b~c": 1})
    assert [fault["pointer"] for fault in refused.value.errors] == ["/input/a~1b~0c"]
