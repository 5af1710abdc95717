"""The pages of docs/types: a page a type, fields as the models have them, outputs as the examples give them."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tasks.management.commands import openapi
from tasks.management.type_docs import pages, tables
from tasks.management.type_docs.marked import section
from tasks.management.type_docs.pages import FOLDER, NOT_RUN, block, documented_types, page_of
from tasks.models import Queue
from tasks.registry import get_type
from tests.engines.scores import word_errors

# Differ from machine to machine, or with every upgrade.
UNSTABLE = {"version", "confidence", "score"}
# What is heard may differ in a letter or a tenth of a second on another processor.
HEARD = {"text", "segments", "srt", "vtt", "language_probability"}


def test_every_type_has_a_page_and_no_page_is_left_over() -> None:
    assert {page_of(one.name) for one in documented_types()} == set(FOLDER.glob("*.md"))


def test_what_is_written_from_the_code_is_as_the_code_is() -> None:
    call_command("write_docs", check=True, stdout=StringIO())


def test_what_is_not_up_to_date_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    index = tmp_path / "README.md"
    index.write_text("<!-- pages of types --><!-- /pages of types -->")
    settings.BASE_DIR = tmp_path
    monkeypatch.setattr(tables, "INDEX", index)
    monkeypatch.setattr(openapi, "document", openapi.STORED.read_text)

    with pytest.raises(CommandError, match=r"date: README\.md\. Run `manage\.py write_docs`"):
        call_command("write_docs", check=True)
    assert index.read_text().endswith("--><!-- /pages of types -->")


def test_a_document_without_markers_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "README.md"
    index.write_text("no markers")
    monkeypatch.setattr(tables, "INDEX", index)

    with pytest.raises(CommandError, match="<!-- pages of types -->"):
        call_command("write_docs")
    assert index.read_text() == "no markers"


def test_a_new_type_gets_a_page_whose_example_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    text = pages.written(get_type("diagnostic.echo"))

    assert text.startswith("# diagnostic.echo: echo\n\nReturns the message.")
    assert block(text, "input") == dict(get_type("diagnostic.echo").samples[0])
    assert block(text, "output")["text"] == block(text, "input")["message"]
    assert "| `message` | text, required |" in section(text, "input fields")


@pytest.mark.parametrize("name", [one.name for one in documented_types() if one.name not in NOT_RUN])
def test_the_output_of_a_page_is_what_its_input_gives(name: str) -> None:
    text = page_of(name).read_text()
    result = pages.run_example(name, block(text, "input"))
    if name == "speech.transcribe":
        assert word_errors(result["text"], block(text, "output")["text"]) <= 0.1
        result = {key: block(text, "output")[key] if key in HEARD else value for key, value in result.items()}

    assert json.dumps(_stable(result), indent=1) == json.dumps(_stable(block(text, "output")), indent=1)


@pytest.mark.django_db
def test_the_queues_of_the_page_are_those_that_are_there() -> None:
    table = section(tables.HOW_TO.read_text(), "queues")
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(Queue.objects.values_list("name", flat=True))


@pytest.mark.parametrize("name", sorted(NOT_RUN))
def test_an_output_that_is_not_run_has_the_right_shape(name: str) -> None:
    text, definition = page_of(name).read_text(), get_type(name)

    definition.validate(block(text, "input"))
    definition.result.model_validate(block(text, "output"))


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stable(member) for key, member in value.items() if key not in UNSTABLE}
    return [_stable(member) for member in value] if isinstance(value, list) else value
