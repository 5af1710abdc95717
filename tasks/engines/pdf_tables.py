"""Finds ruled tables on a PDF page by its lines (pdfplumber) and fills their cells with the page's characters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pdfplumber
import pdfplumber.page
import pdfplumber.table

from tasks.engines.document import Span
from tasks.engines.pdf_characters import Character, turn_back, words_of
from tasks.engines.pdf_table_rows import join_stripes, line_above, rows_in_columns, split_row
from tasks.engines.reading_order import Box, Piece, lines_of
from tasks.engines.table_head import head_rows, is_value

# Drawings and maps have lines by the ten thousand, and finding tables takes the square of them.
MAX_LINES = 20_000
# Two rules across the same width make a table head; a third closes the table.
LEAST_RULES = 3
SAME_PLACE = 3.0
# A "cell" that is nearly the whole page is the page's frame.
FRAME_SHARE = 0.6
COLUMN_GAP = 0.8
# A head and what is below it.
LEAST_GRID_ROWS = 2


@dataclass(frozen=True)
class Table:
    """A table: its box on the page and its rows of cells, empty cells as empty strings.

    `head` first rows name the columns; `spans` are cells that cover several places.
    """

    box: Box
    rows: list[list[str]]
    spans: tuple[Span, ...] = ()

    @property
    def head(self) -> int:
        return head_rows(self.rows)


class TooManyLinesError(Exception):
    """The page is a drawing with more lines than tables are looked for in."""


def find_tables(page: pdfplumber.page.Page, characters: Sequence[Character], *, quarters: int = 0) -> list[Table]:
    """Return the page's ruled tables from top to bottom.

    A merged cell has its text in the first of the places that it covers. Where the text lies on its
    side, `characters` are given upright, and `quarters` says by how many quarter turns.

    Raises:
        TooManyLinesError: see there.
    """
    if sum(len(page.objects.get(kind, ())) for kind in ("line", "rect", "curve")) > MAX_LINES:
        raise TooManyLinesError
    grids = [_turned(page, found, quarters) for found in page.find_tables()]
    stripes = join_stripes([list(found.rows[0].cells) for found in grids if _is_stripe(found)])
    striped = [_from_stripes(group, characters) for group in stripes]
    rest = [found for found in grids if not any(_overlap(found.bbox, table.box) for table in striped)]
    tables = striped + [table for found in rest if (table := _from_grid(page, found, characters))]
    if not quarters:
        tables += _between_rules(page, characters, [table.box for table in tables])
    return sorted(tables, key=lambda table: (table.box[1], table.box[0]))


def _from_grid(page: pdfplumber.page.Page, found: Any, characters: Sequence[Character]) -> Table | None:
    if _is_frame(page, found):
        return None
    inside = [character for character in characters if _holds(found.bbox, character)]
    by_row = [[character for character in inside if _holds(row.bbox, character)] for row in found.rows]
    rows = [
        [_cell_text(cell, mine) if cell else "" for cell in row.cells]
        for row, mine in zip(found.rows, by_row, strict=True)
    ]
    if sum(len(row) for row in rows) < 2 or not any(cell for row in rows for cell in row):
        return None
    if all(len(row) == 1 for row in rows):
        # Stripes of colour rule the rows only; the columns show in how the words stand.
        return _with_columns(found.bbox, by_row, rows, characters)
    return Table(found.bbox, *_with_all_rows(found, by_row, rows))


def _with_columns(
    box: Box, by_row: list[list[Character]], rows: list[list[str]], characters: Sequence[Character]
) -> Table:
    """Return a table of stripes with its columns, and with its head where that stands above the first stripe."""
    by_row = _parted(by_row)
    split = _split_columns(by_row)
    return _with_head(box, by_row, split, characters) if split else Table(box, rows)


def _with_head(
    box: Box, by_row: list[list[Character]], split: list[list[str]], characters: Sequence[Character]
) -> Table:
    """Return a table with the line above it as its head, where it has none and that line names its columns."""
    pitch = 1.2 * (box[3] - box[1]) / len(by_row)
    above = line_above(box, pitch, characters)
    if len(above) > 1 and not head_rows(split):
        top = min(piece.top for piece in above)
        head = [c for c in characters if top <= c.middle < box[1] and box[0] <= (c.left + c.right) / 2 <= box[2]]
        whole = _split_columns([head, *by_row])
        # The same columns with it, or it is a sentence that happens to stand there.
        if whole and len(whole[0]) == len(split[0]) and all(whole[0]) and head_rows(whole):
            return Table((box[0], top, box[2], box[3]), whole)
    return Table(box, split)


def _parted(by_row: list[list[Character]]) -> list[list[Character]]:
    """Return the characters by line where the lines of a row are rows of their own, else as they are."""
    by_line = [[[c for c in row if _on_line(c, line)] for line in lines_of(words_of(row))] for row in by_row]
    split = _split_columns([line for lines in by_line for line in lines])
    if split is None:
        return by_row
    parted, place = [], 0
    for row, lines in zip(by_row, by_line, strict=True):
        mine = split[place : place + len(lines)]
        place += len(lines)
        # A column of values, one in each line: wrapped text has none.
        is_several = len(lines) > 1 and any(all(map(is_value, column)) for column in zip(*mine, strict=True))
        parted += lines if is_several else [row]
    return parted


def _with_all_rows(
    found: Any, by_row: list[list[Character]], rows: list[list[str]]
) -> tuple[list[list[str]], tuple[Span, ...]]:
    """Part ruled rows that hold several, and tell which cells cover several places."""
    parted: list[list[str]] = []
    spans: list[Span] = []
    for number, (row, mine) in enumerate(zip(found.rows, by_row, strict=True)):
        cells = [lines_of(words_of([c for c in mine if _holds(cell, c)])) if cell else [] for cell in row.cells]
        several = split_row(cells, below_head=len(found.rows) == LEAST_GRID_ROWS and number > 0)
        if several is None:
            spans += _spans(row, len(parted), found.rows[number + 1 :])
        parted += several or [rows[number]]
    return parted, tuple(spans)


def _spans(row: Any, place: int, below: Sequence[Any]) -> Iterator[Span]:
    for column, cell in enumerate(row.cells):
        if cell is None:
            continue
        columns = 1 + sum(1 for _ in itertools.takewhile(lambda other: other is None, row.cells[column + 1 :]))
        # A place without a cell of its own is covered by the one at its left, or by the one above.
        while columns > 1 and not cell[2] > row.bbox[0] + (row.bbox[2] - row.bbox[0]) * (column + 0.5) / len(row.cells):
            columns -= 1
        rows = 1 + sum(other.bbox[1] < cell[3] - SAME_PLACE for other in below)
        if rows > 1 or columns > 1:
            yield Span(place, column, rows, columns)


def _is_stripe(found: Any) -> bool:
    return len(found.rows) == 1 and len(found.rows[0].cells) > 1 and all(found.rows[0].cells)


def _from_stripes(group: Sequence[Sequence[Box]], characters: Sequence[Character]) -> Table:
    columns, last = group[0], group[-1]
    left, top, right, bottom = columns[0][0], columns[0][1], columns[-1][2], last[0][3]
    above = line_above((left, top, right, bottom), group[1][0][1] - columns[0][1], characters)
    if len(above) > 1:
        top = min(piece.top for piece in above)
    return Table((left, top, right, bottom), rows_in_columns(columns, top, bottom, characters))


def _turned(page: pdfplumber.page.Page, found: Any, quarters: int) -> Any:
    return pdfplumber.table.Table(page, [turn_back(cell, quarters) for cell in found.cells]) if quarters else found


def _is_frame(page: pdfplumber.page.Page, found: Any) -> bool:
    whole = float(page.width * page.height)
    return any((x1 - x0) * (bottom - top) > FRAME_SHARE * whole for x0, top, x1, bottom in found.cells)


def _between_rules(page: pdfplumber.page.Page, characters: Sequence[Character], taken: list[Box]) -> list[Table]:
    """Return tables that have rules above, below and under the head, but none between columns, as in books."""
    tables = []
    for rules in _stacked_rules(page):
        box = (rules[0][0], rules[0][1], rules[0][2], rules[-1][1])
        inside = [character for character in characters if _holds(box, character)]
        if any(_overlap(box, other) for other in taken) or not inside:
            continue
        lines = lines_of(words_of(inside))
        by_line = [[c for c in inside if _on_line(c, line)] for line in lines]
        rows = _split_columns(by_line)
        if rows and len(rows) >= 2:
            tables.append(_with_head(box, by_line, rows, characters))
    return tables


def _stacked_rules(page: pdfplumber.page.Page) -> list[list[Box]]:
    """Return groups of horizontal rules of one width and place, each from top to bottom."""
    groups: list[list[Box]] = []
    rules = [edge for edge in page.edges if edge["orientation"] == "h" and edge["x1"] - edge["x0"] > page.width / 8]
    for rule in sorted(rules, key=lambda edge: edge["top"]):
        box = (float(rule["x0"]), float(rule["top"]), float(rule["x1"]), float(rule["bottom"]))
        for group in groups:
            if abs(group[-1][0] - box[0]) < SAME_PLACE and abs(group[-1][2] - box[2]) < SAME_PLACE:
                if box[1] - group[-1][1] > SAME_PLACE:
                    group.append(box)
                break
        else:
            groups.append([box])
    return [group for group in groups if len(group) >= LEAST_RULES]


def _split_columns(rows: list[list[Character]]) -> list[list[str]] | None:
    """Cut rows of characters into columns at the gaps that run through all of them; None if there are none."""
    words = [words_of(row) for row in rows]
    everything = sorted((word for row in words for word in row), key=lambda word: word.left)
    if len(words) < 2 or not everything:
        return None
    gap = COLUMN_GAP * min(word.height for word in everything)
    edges, right = [], everything[0].right
    for word in everything:
        if word.left - right > gap:
            edges.append((right + word.left) / 2)
        right = max(right, word.right)
    if not edges:
        return None
    bounds = [float("-inf"), *edges, float("inf")]
    spans = list(itertools.pairwise(bounds))
    return [[_text([word for word in row if low <= word.left < high]) for low, high in spans] for row in words]


def _cell_text(cell: Box, characters: Sequence[Character]) -> str:
    return _text(words_of([character for character in characters if _holds(cell, character)]))


def _text(words: list[Piece]) -> str:
    # One line: where a cell's text breaks is the layout's doing.
    return " ".join(word.text for line in lines_of(words) for word in line)


def _holds(box: Box, character: Character) -> bool:
    center = (character.left + character.right) / 2
    return box[0] <= center <= box[2] and box[1] <= character.middle <= box[3]


def _on_line(character: Character, line: Sequence[Piece]) -> bool:
    return min(piece.top for piece in line) <= character.middle <= max(piece.bottom for piece in line)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
