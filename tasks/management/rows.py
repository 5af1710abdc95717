"""Rows for people at a shell, and for programs: what commands list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.measures import NOTHING


def shown(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> str:
    """Return rows as JSON, or as a table; `empty` is said where there are none."""
    return json.dumps(list(rows), indent=2, ensure_ascii=False, default=str) if as_json else table(rows, empty=empty)


def table(rows: Sequence[Mapping[str, Any]], *, empty: str) -> str:
    """Return lines, each column as wide as what stands in it."""
    if not rows:
        return empty
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (zip(line, widths, strict=True) for line in cells)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in lines)


def _cell(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_cell, value)) or NOTHING
    # Names of an older release may hold anything.
    return "".join(character if character.isprintable() else "?" for character in str(value))
