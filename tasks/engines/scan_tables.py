"""Finds ruled tables in a scanned page: its lines by OpenCV, the cells between them, the words read in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.engines.document import Grid, Span
from tasks.engines.page_reading import Box, ScannedTable, Word
from tasks.engines.picture_quality import estimate_skew
from tasks.engines.picture_treatment import Grey, Treatment, prepare
from tasks.engines.table_head import head_rows

# Lines are looked for in pictures reduced to this, but not so far that lines of print look like rules.
LONG_SIDE, LEAST_HEIGHT = 2000, 14.0
# In heights of a word: a line is at least so long; a cell so high and wide; edges that lie closer are one.
LINE_LENGTH, LEAST_CELL = 2.0, 0.6
LEAST_SKEW = 0.3
# A frame around the page, or around a picture, is no table.
LEAST_CELLS, MOST_CELLS, FRAME_SHARE = 4, 20_000, 0.6
# Of a table's cells, those that must have words in them.
LEAST_FILLED = 0.3
# Pixels by which a line may stray over its least length. Photographs need more, which blurs what is level: where it
# brings no more words into tables, less is better.
LEANING = (3, 7, 11)
# Of a table's rows, those that an empty column of its own has a cell in.
LEAST_OF_COLUMN = 0.75


@dataclass(frozen=True)
class Cell:
    row: int
    column: int
    rows: int
    columns: int
    box: Box


def find_tables(grey: Grey, words: Sequence[Word], *, turn: float = 0.0) -> list[ScannedTable]:
    """Return the ruled tables of a picture whose words were read; words are named by their place in the sequence.

    `turn` is by how many degrees, counter-clockwise, the picture was turned to be read.
    """
    if not words:
        return []
    # Lines are level only in a picture that is.
    turn = turn or estimate_skew(grey)
    height = median(word.height for word in words)
    scale = min(1.0, max(LONG_SIDE / max(grey.shape), LEAST_HEIGHT / height))
    treatment = Treatment(turn=turn if abs(turn) > LEAST_SKEW else 0.0, scale=scale)
    level, matrix = prepare(grey, treatment)
    height *= scale
    least = max(8.0, LEAST_CELL * height)
    middles = np.array([[word.left + word.width / 2, word.top + word.height / 2] for word in words])
    middles = middles @ matrix[:, :2].T + matrix[:, 2]
    back = cv2.invertAffineTransform(matrix)
    best: list[ScannedTable] = []
    for leaning in LEANING:
        found: list[ScannedTable] = []
        # The small ones first: what is framed together with a table is no part of it.
        grids = (without_slivers(cells, middles) for cells in _grids(_rules(level, height, leaning), least))
        for cells in sorted(grids, key=lambda cells: _area(_around(cells))):
            table = _filled(cells, words, middles, back, grey.shape)
            if table is not None and not any(table.words & other.words for other in found):
                found.append(table)
        if not found:
            break
        best = max(best, found, key=lambda tables: sum(len(table.words) for table in tables))
    return sorted(best, key=lambda table: (table.box[1], table.box[0]))


def _rules(level: Grey, word_height: float, leaning: int) -> NDArray[np.uint8]:
    """Return a picture of nothing but the level and the upright lines, which are longer than any stroke of a letter."""
    ink = cv2.adaptiveThreshold(level, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 12)
    length = max(25, round(LINE_LENGTH * word_height))
    # Faint lines have holes, and those of a picture taken from aside lean: closed and made thicker first.
    across = cv2.morphologyEx(
        cv2.dilate(ink, np.ones((leaning, 1), np.uint8)), cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8)
    )
    across = cv2.morphologyEx(across, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    down = cv2.morphologyEx(
        cv2.dilate(ink, np.ones((1, leaning), np.uint8)), cv2.MORPH_CLOSE, np.ones((5, 1), np.uint8)
    )
    down = cv2.morphologyEx(down, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    # Where two lines nearly meet, they meet.
    across = cv2.dilate(across, np.ones((3, 9), np.uint8))
    down = cv2.dilate(down, np.ones((9, 3), np.uint8))
    return np.asarray(cv2.bitwise_or(across, down), dtype=np.uint8)


def _grids(rules: NDArray[np.uint8], least: float) -> Iterator[list[Cell]]:
    """Yield the cells of each group of lines that hang together."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(rules, connectivity=8)
    for label in sorted(range(1, count), key=lambda label: int(stats[label, cv2.CC_STAT_TOP])):
        left, top, width, height = (int(value) for value in stats[label, : cv2.CC_STAT_AREA])
        if width < 2 * least or height < 2 * least:
            continue
        lines = (labels[top : top + height, left : left + width] == label).astype(np.uint8) * 255
        cells = _cells(lines, left, top, least, rules.size)
        if LEAST_CELLS <= len(cells) <= MOST_CELLS:
            yield cells


def _cells(lines: NDArray[np.uint8], left: int, top: int, least: float, page_area: int) -> list[Cell]:
    # What the lines close off. The border of the cut-out is open, so that only closed cells are left.
    padded = cv2.copyMakeBorder(cv2.bitwise_not(lines), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=4)
    outside = labels[0, 0]
    boxes = []
    for label in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[label])
        is_cell = width >= least and height >= least and area > 0.6 * width * height
        if label != outside and is_cell and area < FRAME_SHARE * page_area:
            boxes.append((x - 1, y - 1, x - 1 + width, y - 1 + height))
    columns = _edges([box[0] for box in boxes], least)
    rows = _edges([box[1] for box in boxes], least)
    half = least / 2
    return [
        Cell(
            row=_place(rows, y0),
            column=_place(columns, x0),
            rows=max(1, sum(y0 - half < start < y1 - half for start in rows)),
            columns=max(1, sum(x0 - half < start < x1 - half for start in columns)),
            box=(x0 + left, y0 + top, x1 + left, y1 + top),
        )
        for x0, y0, x1, y1 in boxes
    ]


def _edges(values: list[int], least: float) -> list[float]:
    """Return the places of edges; those that lie close together, as in a picture taken from aside, are one."""
    groups: list[list[int]] = []
    for value in sorted(values):
        if groups and value - groups[-1][-1] < least:
            groups[-1].append(value)
        else:
            groups.append([value])
    return [fmean(group) for group in groups]


def _place(edges: list[float], value: int) -> int:
    return min(range(len(edges)), key=lambda place: abs(edges[place] - value))


def _filled(
    cells: list[Cell], words: Sequence[Word], middles: NDArray[Any], back: NDArray[Any], shape: tuple[int, ...]
) -> ScannedTable | None:
    rows = [[""] * (1 + max(cell.column for cell in cells)) for _ in range(1 + max(cell.row for cell in cells))]
    if len(rows) * len(rows[0]) > MOST_CELLS or (len(rows[0]) < 2 and len(rows) < 2):
        return None
    members: dict[int, list[int]] = {}
    boxes = np.array([cell.box for cell in cells])
    for number in np.flatnonzero(_within(middles, boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0))).tolist():
        # The nearest: in a picture taken from aside, a word's middle may lie on a line.
        away = np.maximum(boxes[:, :2] - middles[number], middles[number] - boxes[:, 2:]).clip(0).sum(axis=1)
        members.setdefault(int(away.argmin()), []).append(number)
    if len(members) < max(2, LEAST_FILLED * len(cells)):
        return None
    for place, mine in members.items():
        rows[cells[place].row][cells[place].column] = " ".join(words[number].text for number in mine)
    spans = tuple(
        Span(cell.row, cell.column, cell.rows, cell.columns) for cell in cells if cell.rows > 1 or cell.columns > 1
    )
    is_whole = sum(cell.rows * cell.columns for cell in cells) == len(rows) * len(rows[0])
    is_whole = is_whole and not any(_lacks_a_line(cells[place], middles[mine, 1]) for place, mine in members.items())
    held = frozenset(number for mine in members.values() for number in mine)
    return ScannedTable(
        _box_of(cells, back, shape), Grid(rows, head=head_rows(rows), spans=spans), held, is_whole=is_whole
    )


def _lacks_a_line(cell: Cell, heights: NDArray[Any]) -> bool:
    """Return whether a cell beside several rows has words beside more than one of them."""
    step = (cell.box[3] - cell.box[1]) / cell.rows
    return cell.rows > 1 and len(set(((heights - cell.box[1]) // step).tolist())) > 1


def _around(cells: list[Cell]) -> Box:
    return (
        min(cell.box[0] for cell in cells),
        min(cell.box[1] for cell in cells),
        max(cell.box[2] for cell in cells),
        max(cell.box[3] for cell in cells),
    )


def without_slivers(cells: list[Cell], middles: NDArray[Any]) -> list[Cell]:
    """Return the cells without columns that are none: no word stands there, and a stamp or fold parts some rows."""
    columns = 1 + max(cell.column for cell in cells)
    rows = 1 + max(cell.row for cell in cells)
    for column in reversed(range(columns)):
        mine = [cell for cell in cells if cell.column == column]
        has_words = any(_within(middles, np.array(cell.box[:2]), np.array(cell.box[2:])).any() for cell in mine)
        if not has_words and sum(cell.rows for cell in mine) < LEAST_OF_COLUMN * rows:
            cells = [_without_column(cell, column) for cell in cells if cell not in mine or cell.columns > 1]
    return cells


def _without_column(cell: Cell, column: int) -> Cell:
    covers = cell.column <= column < cell.column + cell.columns
    return replace(cell, column=cell.column - (cell.column > column), columns=cell.columns - covers)


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _within(middles: NDArray[Any], first: NDArray[Any], last: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(((middles >= first) & (middles <= last)).all(axis=1))


def _box_of(cells: list[Cell], back: NDArray[Any], shape: tuple[int, ...]) -> Box:
    left, top, right, bottom = _around(cells)
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]]) @ back[:, :2].T + back[:, 2]
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return max(0, round(x0)), max(0, round(y0)), min(shape[1], round(x1)), min(shape[0], round(y1))
