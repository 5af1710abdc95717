"""Finds the rows of tables whose rules leave some out: rows parted by nothing but space, and rows shown by stripes."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.engines.pdf_characters import Character, words_of
from tasks.engines.reading_order import Box, Line, Piece, lines_of
from tasks.engines.table_head import is_value

# So many lines in a ruled row are rows of their own; in a table of a head and one row, two are enough.
LEAST_LINES, LEAST_LINES_BELOW_HEAD = 3, 2
SAME_PLACE = 3.0
# In heights of a stripe: between two stripes lies one row, seldom two.
MOST_BETWEEN = 2.6

Lines = list[Line[Piece]]


def split_row(cells: Sequence[Lines], *, below_head: bool) -> list[list[str]] | None:
    """Return the rows that one ruled row holds, None where it is one row with cells of several lines.

    Rows are told by a column of values, one in each line: wrapped text has none.
    """
    columns = [lines for lines in cells if lines and all(is_value(_text(line)) for line in lines)]
    count = max(map(len, columns), default=0)
    if count < (LEAST_LINES_BELOW_HEAD if below_head else LEAST_LINES):
        return None
    guide = next(lines for lines in columns if len(lines) == count)
    rows = [["" for _ in cells] for _ in range(count)]
    for column, lines in enumerate(cells):
        for line in lines:
            place = min(range(count), key=lambda number: abs(_middle(guide[number]) - _middle(line)))
            if abs(_middle(guide[place]) - _middle(line)) > 0.5 * _height(line) or rows[place][column]:
                return None
            rows[place][column] = _text(line)
    return rows


def join_stripes(tables: Sequence[Sequence[Box]]) -> list[list[Sequence[Box]]]:
    """Return groups of one-row tables that are every other row of one table: the same columns, a row's space between.

    A table is given as the boxes of its cells from left to right.
    """
    groups: list[list[Sequence[Box]]] = []
    for cells in sorted(tables, key=lambda cells: cells[0][1]):
        for group in groups:
            last = group[-1]
            height = last[0][3] - last[0][1]
            gap = cells[0][1] - last[0][3]
            if len(last) == len(cells) and 0 < gap < MOST_BETWEEN * height and _same_columns(last, cells):
                group.append(cells)
                break
        else:
            groups.append([cells])
    return [group for group in groups if len(group) > 1]


def rows_in_columns(
    columns: Sequence[Box], top: float, bottom: float, characters: Sequence[Character]
) -> list[list[str]]:
    """Return the lines between two heights as rows, their words in the columns that the boxes show."""
    left, right = columns[0][0], columns[-1][2]
    inside = [c for c in characters if top <= c.middle <= bottom and left <= (c.left + c.right) / 2 <= right]
    rows = []
    for line in lines_of(words_of(inside)):
        row: list[list[str]] = [[] for _ in columns]
        for word in line:
            middle = (word.left + word.right) / 2
            place = next((n for n, box in enumerate(columns) if middle <= box[2]), len(columns) - 1)
            row[place].append(word.text)
        rows.append([" ".join(words) for words in row])
    return rows


def line_above(box: Box, pitch: float, characters: Sequence[Character]) -> Line[Piece]:
    """Return the line right above a box, no further off than rows are from each other; empty where there is none."""
    left, top, right, _ = box
    near = [c for c in characters if top - pitch <= c.middle < top and left <= (c.left + c.right) / 2 <= right]
    lines = lines_of(words_of(near))
    return lines[-1] if lines else []


def _same_columns(one: Sequence[Box], other: Sequence[Box]) -> bool:
    return all(abs(a[0] - b[0]) < SAME_PLACE and abs(a[2] - b[2]) < SAME_PLACE for a, b in zip(one, other, strict=True))


def _text(line: Line[Piece]) -> str:
    return " ".join(piece.text for piece in line)


def _middle(line: Line[Piece]) -> float:
    return sum(piece.middle for piece in line) / len(line)


def _height(line: Line[Piece]) -> float:
    return max(piece.height for piece in line)
