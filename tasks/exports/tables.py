"""Finds the tables of a result, whatever its type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Covered:
    """Places of a table that one cell covers: its first row and column, counted from 0, and how many of each."""

    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True)
class ResultTable:
    """A table of a result, counted from 1. `rows` are all its rows, of cells from left to right.

    Args:
        page: counted from 1; None where the file has no pages.
        head: how many of the first rows name the columns; None where the result does not tell.
        box: left, top, right, bottom on the page, in its unit; None where it is not known.
    """

    number: int
    title: str
    rows: list[list[Any]]
    page: int | None = None
    head: int | None = None
    spans: tuple[Covered, ...] = ()
    box: Box | None = None

    @property
    def column_count(self) -> int:
        return max((len(row) for row in self.rows), default=0)


def tables_in(result: Any) -> list[ResultTable]:
    """Return the tables of a result, at its top or inside its pages. A table is rows, or an object that has them."""
    if not isinstance(result, dict):
        return []
    found = [(table, None) for table in _list(result.get("tables"))]
    if not found:
        pages = [page for page in _list(result.get("pages")) if isinstance(page, dict)]
        found = [(table, page.get("number", page.get("page"))) for page in pages for table in _list(page.get("tables"))]
    tables = []
    for number, (table, page) in enumerate(found, start=1):
        facts = table if isinstance(table, dict) else {"rows": table}
        rows = facts.get("rows")
        if isinstance(rows, list) and all(isinstance(row, list) for row in rows):
            tables.append(
                ResultTable(
                    number,
                    str(facts.get("title") or f"Table {number}"),
                    rows,
                    page=_whole(facts.get("page", page)),
                    head=_whole(facts.get("head")),
                    spans=tuple(_spans(facts)),
                    box=_box(facts),
                )
            )
    return tables


def _spans(facts: dict[str, Any]) -> Iterator[Covered]:
    for span in _list(facts.get("spans")):
        if isinstance(span, dict):
            places = [_whole(span.get(name)) for name in ("row", "column", "rows", "columns")]
            if all(place is not None for place in places):
                yield Covered(*(place for place in places if place is not None))


def _box(facts: dict[str, Any]) -> Box | None:
    box = facts.get("box")
    sides = box if isinstance(box, list) else [facts.get(name) for name in ("left", "top", "width", "height")]
    numbers = [float(side) for side in sides if isinstance(side, int | float)]
    if len(numbers) != len(sides) or len(sides) != 4:
        return None
    left, top, right, bottom = numbers
    return (left, top, right, bottom) if isinstance(box, list) else (left, top, left + right, top + bottom)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
