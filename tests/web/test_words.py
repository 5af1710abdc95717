"""The examples in the docstrings hold."""

from __future__ import annotations

import doctest
from types import ModuleType, SimpleNamespace
from typing import get_args

import pytest
from django.utils.translation import override

from accounts import browsers
from portal.web import document_facts
from portal.web.forms import task_input
from tasks import names, rhythm
from tasks.api.objects.task import Why
from tasks.exports import csv_file
from tasks.models import TaskContent
from tasks.statuses import SHOWN
from tasks.ui import look, words
from tasks.ui.badge import status_badge
from tasks.ui.subject import subject


@pytest.mark.parametrize(
    "module", [words, rhythm, browsers, csv_file, document_facts, names, task_input], ids=lambda module: module.__name__
)
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
    assert set(get_args(Why)) == set(words.WAITS)


@pytest.mark.parametrize(
    ("given", "files", "note"),
    [
        ({"ocr": "auto", "file": "0" * 36}, ["scan.pdf"], "scan.pdf"),
        ({"file": "0" * 36, "question": "When does\nthe ferry leave?"}, ["map.png"], "When does the ferry leave?"),
        ({"text": "The ferry leaves at noon.", "question": "When does it leave?"}, [], "When does it leave?"),
        ({"message": "hi"}, [], "hi"),
        ({"seconds": 60.0, "share": 0.5, "quiet": True}, [], "seconds 60, share 0.5"),
        ({"files": ["0" * 36] * 4}, ["a.pdf", "b.pdf", "c.pdf", "d.pdf"], "a.pdf, b.pdf, c.pdf + 1"),
        ({"texts": [{"name": "offer", "text": "Four chairs at 120 EUR"}]}, [], "Four chairs at 120 EUR"),
        ({"message": "01890a5d-ac96-774b-bcce-b302099a8057"}, [], ""),
        ({"message": "01890A5DAC96774BBCCEB302099A8057", "seconds": 2}, [], "seconds 2"),
        ({"texts": [{"$from": "0" * 36, "path": "/text"}]}, [], ""),
        ({}, [], ""),
    ],
)
def test_task_is_known_by_its_words_or_its_files_and_not_by_its_options(
    given: dict[str, str], files: list[str], note: str
) -> None:
    task = SimpleNamespace(
        id="an id", status="succeeded", error=None, file_names=files, content=TaskContent(name="", input=given)
    )
    assert subject(task) == note  # type: ignore[arg-type]


def test_a_badge_is_in_the_readers_language_whoever_read_it_before() -> None:
    said = []
    for language in ("zh-hans", "en", "zh-hans"):
        with override(language):
            said.append([word in status_badge("succeeded") for word in ("成功", "Succeeded")])
    assert said == [[True, False], [False, True], [True, False]]
