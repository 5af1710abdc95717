"""The shapes that results are shown in: sections, texts, tables; and how long values are cut for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from portal.web.markdown import to_html
from tasks.exports.tables import Covered, ResultTable

MOST_ROWS = 500
LONGEST_TEXT = 200_000
MOST_MEMBERS = 200


@dataclass(frozen=True)
class Section:
    """One part of a result; `kind` names its template below ``web/results``."""

    kind: str
    title: str
    data: Any
    count: int | None = None


@dataclass(frozen=True)
class Cell:
    """A cell of a table, and how many places it covers."""

    text: str
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class Table:
    """A table as a page shows it: its first MOST_ROWS rows, those that name the columns apart."""

    number: int
    title: str
    page: int | None
    head: list[list[Cell]]
    body: list[list[Cell]]
    left_out: int


@dataclass(frozen=True)
class Text:
    """A text as it is, or as sanitised markdown in `html`; `is_repeated` where another section shows it, too."""

    text: str
    html: SafeString | None = None
    cut: bool = False
    is_repeated: bool = False


def text_of(text: Any, *, markdown: bool) -> Text:
    whole = str(text)
    shown = cut(whole)
    return Text(shown, to_html(shown) if markdown else None, cut=len(whole) > len(shown))


def cut(text: str) -> str:
    return text[:LONGEST_TEXT]


def table_of(table: ResultTable) -> Table:
    """Return a table to be shown. Where the result does not tell which rows name the columns, the first one does."""
    spans = {(span.row, span.column): span for span in table.spans}
    covered = {
        (row, column)
        for span in table.spans
        for row in range(span.row, min(span.row + span.rows, MOST_ROWS))
        for column in range(span.column, min(span.column + span.columns, table.column_count))
    } - spans.keys()
    rows = [
        [
            Cell("" if cell is None else str(cell), *_extent(spans.get((number, place)), number))
            for place, cell in enumerate(row)
            if (number, place) not in covered
        ]
        for number, row in enumerate(table.rows[:MOST_ROWS])
    ]
    head = 1 if table.head is None else table.head
    left_out = max(0, len(table.rows) - MOST_ROWS)
    return Table(table.number, table.title, table.page, rows[:head], rows[head:], left_out)


def _extent(span: Covered | None, row: int) -> tuple[int, int]:
    return (min(span.rows, MOST_ROWS - row), span.columns) if span else (1, 1)


def shorten(value: Any) -> Any:
    """Return a JSON value with long texts and lists cut, so that a page stays a page."""
    if isinstance(value, str):
        return value if len(value) <= 2000 else f"{value[:2000]}… ({len(value):,} characters)"
    if isinstance(value, list):
        more = [f"… {len(value) - MOST_MEMBERS:,} more"] if len(value) > MOST_MEMBERS else []
        return [shorten(member) for member in value[:MOST_MEMBERS]] + more
    if isinstance(value, dict):
        return {key: shorten(member) for key, member in list(value.items())[:MOST_MEMBERS]}
    return value
