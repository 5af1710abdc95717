"""The examples in the docstrings hold."""

from __future__ import annotations

import doctest
from types import ModuleType, SimpleNamespace

import pytest

from portal.web import csv_export, document_facts
from portal.web.forms import task_input
from tasks.models import TaskContent
from tasks.statuses import SHOWN
from tasks.ui import look, words


@pytest.mark.parametrize("module", [words, csv_export, document_facts, task_input], ids=lambda module: module.__name__)
def test_examples_hold(module: ModuleType) -> None:
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize(
    "text", ["D:20001345", "D:20240101000000+99'00'", "D:20240230", "", "D:2024-01-01", "next week"]
)
def test_what_is_no_date_stays_as_the_document_has_it(text: str) -> None:
    assert document_facts.date_text(text) == text


def test_every_status_has_words_an_icon_and_a_tone() -> None:
    assert set(words.STATUS_LOOKS) == set(SHOWN)
    for status in SHOWN:
        assert look.icon(words.look_of_status(status).icon).startswith("<svg")


def test_every_reason_to_wait_has_words() -> None:
    whys = "waiting_for_a_slot waiting_for_a_worker queue_paused no_workers waiting_for_tasks scheduled retry_backoff"
    assert set(whys.split()) | {"backend_busy", "backend_unreachable"} == set(words.WAITS)


@pytest.mark.parametrize(
    ("given", "files", "note"),
    [
        ({"ocr": "auto", "file": "0" * 36}, ["scan.pdf"], "scan.pdf"),
        ({"file": "0" * 36, "question": "When does\nthe ferry leave?"}, ["map.png"], "When does the ferry leave?"),
        ({"message": "hi"}, [], "hi"),
        ({}, [], "an id"),
    ],
)
def test_task_is_known_by_its_words_or_its_files_and_not_by_its_options(
    given: dict[str, str], files: list[str], note: str
) -> None:
    task = SimpleNamespace(
        id="an id", status="succeeded", error=None, file_names=files, content=TaskContent(input=given)
    )
    assert look.task_note(task) == note  # type: ignore[arg-type]
