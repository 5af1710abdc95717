"""Finds tables in plain text: rows of cells parted by | or ; or tabs, as people and programs write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

MARKS = ("|", "\t", ";")
# The line under the names of the columns in Markdown.
RULE = re.compile(r"^[\s|:+=-]*-[\s|:+=-]*$")
MOST_CELL = 120


def tables_in(lines: Sequence[str]) -> tuple[list[list[list[str]]], list[str]]:
    """Return the tables among lines, as rows of cells, and the lines that are in none.

    A table is two rows or more, one below the other, with the same mark and as many cells; with bars one row is enough.

    >>> tables_in(["Order", "Lamp | 2 | 5.00", "Bell | 1 | 9.00"])
    ([[['Lamp', '2', '5.00'], ['Bell', '1', '9.00']]], ['Order'])
    >>> tables_in(["Lamp;2;5,00", "Bell;1;9,00"])[0]
    [[['Lamp', '2', '5,00'], ['Bell', '1', '9,00']]]
    """
    tables: list[list[list[str]]] = []
    prose: list[str] = []
    place = 0
    while place < len(lines):
        rows, used = max((_rows_from(lines, place, mark) for mark in MARKS), key=lambda found: found[1])
        if rows:
            tables.append(rows)
        else:
            prose.append(lines[place])
        place += used or 1
    return tables, prose


def _rows_from(lines: Sequence[str], start: int, mark: str) -> tuple[list[list[str]], int]:
    """Return the rows that begin at a line, and how many lines they take; none where no table begins."""
    rows: list[list[str]] = []
    used = 0
    for line in lines[start:]:
        if rows and mark == "|" and RULE.match(line):
            used += 1
            continue
        cells = _cells(line, mark)
        if len(cells) < 2 or max(map(len, cells)) > MOST_CELL or (rows and len(cells) != len(rows[0])):
            break
        rows.append(cells)
        used += 1
    return (rows, used) if len(rows) > 1 or (rows and mark == "|") else ([], 0)


def _cells(line: str, mark: str) -> list[str]:
    if mark not in line:
        return []
    bare = line.strip(" ").removeprefix("|").removesuffix("|") if mark == "|" else line
    return [cell.strip().strip('"') for cell in bare.split(mark)]
