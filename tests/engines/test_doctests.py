"""The examples in the engines' docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = [
    "asked_for",
    "content_types",
    "documents",
    "facts",
    "page_ranges",
    "passages",
    "plain_texts",
    "sheets",
    "subtitles",
    "words",
    "written_numbers",
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_are_true(module: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"tasks.engines.{module}"))

    assert outcome.attempted > 0
    assert outcome.failed == 0
