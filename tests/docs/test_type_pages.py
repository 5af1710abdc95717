"""The pages of docs/types: a page a type, fields as the models have them, outputs as the examples give them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.registry import all_types, get_type
from tests.docs import type_pages
from tests.docs.type_pages import NOT_RUN, block, documented, page_of, section
from tests.engines.scores import word_errors

# Differ from machine to machine, or with every upgrade.
UNSTABLE = {"version", "confidence", "score"}
# What is heard may differ in a letter or a tenth of a second on another processor.
HEARD = {"text", "segments", "srt", "vtt"}


def test_every_type_has_a_page_and_the_index_names_it() -> None:
    names = {name for name, definition in all_types().items() if not definition.diagnostic}
    index = (type_pages.PROJECT / "docs" / "README.md").read_text()

    assert names == set(documented())
    assert [name for name in names if f"(types/{name}.md)" not in index] == []


@pytest.mark.parametrize("name", documented())
def test_a_page_lists_the_fields_as_they_are(name: str) -> None:
    text, definition = page_of(name).read_text(), get_type(name)

    assert section(text, "input fields") == type_pages.fields(definition.input.model_json_schema())
    assert section(text, "result fields") == type_pages.fields(
        definition.result.model_json_schema(mode="serialization")
    )


@pytest.mark.parametrize("name", [name for name in documented() if name not in NOT_RUN])
def test_the_output_of_a_page_is_what_its_input_gives(name: str, tmp_path: Path) -> None:
    text = page_of(name).read_text()
    result = type_pages.shown(type_pages.run_example(name, block(text, "input"), tmp_path))
    if name == "speech.transcribe":
        assert word_errors(result["text"], block(text, "output")["text"]) <= 0.1
        result = {key: block(text, "output")[key] if key in HEARD else value for key, value in result.items()}

    assert json.dumps(_stable(result), indent=1) == json.dumps(_stable(block(text, "output")), indent=1)


@pytest.mark.parametrize("name", sorted(NOT_RUN))
def test_an_output_that_is_not_run_has_the_right_shape(name: str) -> None:
    text, definition = page_of(name).read_text(), get_type(name)

    definition.validate(block(text, "input"))
    definition.result.model_validate(block(text, "output"))


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stable(member) for key, member in value.items() if key not in UNSTABLE}
    return [_stable(member) for member in value] if isinstance(value, list) else value
