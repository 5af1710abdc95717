"""The examples in the engines' docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = [
    "asked_for",
    "asked_for_chinese",
    "chinese_numbers",
    "content_types",
    "document",
    "document_views",
    "encodings",
    "pdf_characters",
    "facts",
    "ibans",
    "labels",
    "notation",
    "page_ranges",
    "plain_texts",
    "sheet_values",
    "subtitles",
    "table_head",
    "text_tables",
    "units",
    "words",
    "words_cjk",
    "written_language",
    "written_numbers",
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_are_true(module: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"tasks.engines.{module}"))

    assert outcome.attempted > 0
    assert outcome.failed == 0
