"""Tells which of a table's first rows name its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A number, an amount, a date, a share: what stands in columns and not above them. Years are names, too.
VALUE = re.compile(r"[^\w]*[-+(]?\s*[\d][\d\s.,:/%()'’-]*[^\W\d_]{0,3}[^\w]*")
YEAR = re.compile(r"(19|20)\d\d")
MOST_HEAD_ROWS = 3
# No value is longer; the pattern would take time with the square of a cell's length.
LONGEST_VALUE = 80
# Of the cells below, the share that are values, in a table whose first row can be told by its having none.
LEAST_VALUES = 0.15


def head_rows(rows: Sequence[Sequence[str]]) -> int:
    """Return how many of the first rows name the columns; 0 where nothing tells.

    >>> head_rows([["Region", "Q1"], ["North", "1,204"], ["South", "980"]])
    1
    >>> head_rows([["North", "1,204"], ["South", "980"]]), head_rows([["Name", "Town"], ["Ada", "Porto"]])
    (0, 0)
    """
    for count in range(1, min(MOST_HEAD_ROWS, len(rows) - 1) + 1):
        head, body = rows[:count], rows[count:]
        if any(is_value(cell) for cell in head[-1]) or not any(head[-1]):
            return 0
        below = [cell for row in body for cell in row if cell]
        # A row of names above another one is a head only when that one is, too.
        if below and any(is_value(cell) for cell in body[0]):
            return count if sum(map(is_value, below)) >= LEAST_VALUES * len(below) else 0
    return 0


def is_value(cell: str) -> bool:
    """Return whether a cell holds a number, an amount, a date or a share, and so no name of a column.

    >>> is_value("1,204.50 EUR"), is_value("Quay 7"), is_value("1" + "." * 100_000 + "wordy")
    (True, False, False)
    """
    return len(cell) <= LONGEST_VALUE and VALUE.fullmatch(cell) is not None and YEAR.fullmatch(cell) is None
