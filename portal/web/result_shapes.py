"""The shapes that results are shown in: sections, texts, tables; and how long values are cut for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from portal.web.markdown import to_html

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
class Table:
    """A table of a document. `rows` are all its rows; a page shows the first MOST_ROWS."""

    number: int
    title: str
    rows: list[list[Any]]
    page: Any = None

    @property
    def shown(self) -> list[list[Any]]:
        return self.rows[:MOST_ROWS]

    @property
    def left_out(self) -> int:
        return max(0, len(self.rows) - MOST_ROWS)


@dataclass(frozen=True)
class Text:
    """A text as it is, or as sanitised markdown in `html`."""

    text: str
    html: SafeString | None = None
    cut: bool = False


def text_of(text: Any, *, markdown: bool) -> Text:
    whole = str(text)
    shown = cut(whole)
    return Text(shown, to_html(shown) if markdown else None, cut=len(whole) > len(shown))


def cut(text: str) -> str:
    return text[:LONGEST_TEXT]


def tables_in(result: dict[str, Any]) -> list[Table]:
    """Return the tables of a result, at its top or inside its pages. A table is rows, or an object that has them."""
    found = [(table, None) for table in result.get("tables") or []]
    if not found:
        pages = [page for page in result.get("pages") or [] if isinstance(page, dict)]
        found = [(table, page.get("number", page.get("page"))) for page in pages for table in page.get("tables") or []]
    tables = []
    for number, (table, page) in enumerate(found, start=1):
        rows = table.get("rows") if isinstance(table, dict) else table
        if isinstance(table, dict):
            page = table.get("page", page)
        if isinstance(rows, list) and all(isinstance(row, list) for row in rows):
            title = (table.get("title") if isinstance(table, dict) else None) or f"Table {number}"
            tables.append(Table(number, str(title), rows, page))
    return tables


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
