"""Writes a result as one Markdown text: what it says in reading order, with its tables in their places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from tasks.engines.document import Grid
from tasks.engines.document_views import table_markdown
from tasks.exports.tables import ResultTable, tables_in

MARKDOWN = "text/markdown; charset=utf-8"
NO_LETTER = re.compile(r"[\W_]+")
# A table is looked for from so many lines that are like its first row.
MOST_TRIES = 20


def markdown_in(result: Any) -> str | None:
    """Return a result's Markdown; None where it has neither text nor tables.

    What its engine wrote with `include: markdown` comes first. Else it is made of the text: lines that are the rows
    of a table become that table; a table whose rows are not found there stands behind the text of its page.
    """
    if not isinstance(result, dict):
        return None
    if isinstance(written := result.get("markdown"), str) and written:
        return written
    tables = tables_in(result)
    pages = [page for page in result.get("pages") or [] if isinstance(page, dict) and isinstance(page.get("text"), str)]
    if pages:
        numbers = [page.get("number") for page in pages]
        parts = [
            _page(page["text"], [table for table in tables if table.page == number])
            for number, page in zip(numbers, pages, strict=True)
        ]
        parts.append(_page("", [table for table in tables if table.page not in numbers]))
    else:
        text = result.get("text") or result.get("answer")
        parts = [_page(text if isinstance(text, str) else "", tables)]
    return "\n\n".join(part for part in parts if part) or None


def _page(text: str, tables: Sequence[ResultTable]) -> str:
    lines: list[str] = text.splitlines()
    signs = [_letters(line) for line in lines]
    after: list[str] = []
    start = 0
    for table in tables:
        written = table_markdown(Grid([[_text(cell) for cell in row] for row in table.rows], head=table.head or 0))
        rows = [sign for row in table.rows if (sign := _letters("".join(map(_text, row))))]
        found = _find(rows, signs, start)
        if found is None:
            after.append(written)
            continue
        first, last = found
        lines[first : last + 1] = ["", written, ""]
        signs[first : last + 1] = ["", "", ""]
        start = first + 3
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return "\n\n".join(part for part in [body, *after] if part)


def _find(rows: Sequence[str], signs: Sequence[str], start: int) -> tuple[int, int] | None:
    """Return the first and last of the lines that are a table's rows, one a line; None where there are none."""
    if not rows:
        return None
    likely = (number for number in range(start, len(signs)) if signs[number] == rows[0])
    for first in islice(likely, MOST_TRIES):
        place, last = 0, first
        for number in range(first, len(signs)):
            if not signs[number]:
                continue
            if signs[number] != rows[place]:
                break
            place, last = place + 1, number
            if place == len(rows):
                return first, last
    return None


def _letters(text: str) -> str:
    return NO_LETTER.sub("", text)


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)
