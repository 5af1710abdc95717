"""Tables in scans and photographs: their lines are found, and what was read is put into their cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.engines import ocr
from tasks.engines.document import Span
from tasks.engines.ocr_blocks import blocks_of
from tasks.engines.page_reading import Word
from tasks.engines.scan_tables import find_tables
from tests.engines import chinese_pages
from tests.engines.chinese_pages import SANS, TABLE, photograph

WIDTH, HEIGHT, LEFT, TOP = 170, 44, 40, 70
WAYS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "level": lambda page: page,
    "crooked": lambda page: page.rotate(2.5, fillcolor=250, expand=True, resample=Image.Resampling.BICUBIC),
    "photographed": lambda page: photograph(page, seed=2),
}


def page_with_table(
    rows: list[list[str]], *, spans: dict[tuple[int, int], tuple[int, int]] | None = None
) -> Image.Image:
    page = chinese_pages.write([], extent=(2 * LEFT + WIDTH * len(rows[0]), TOP + HEIGHT * len(rows) + 60))
    draw, letters = ImageDraw.Draw(page), ImageFont.truetype(str(SANS), 21)
    draw.text((LEFT, 20), "第三季度价目表 Prices of the quarter", fill=10, font=letters)
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            down, across = (spans or {}).get((row, column), (1, 1))
            if (down, across) == (0, 0):
                continue
            x, y = LEFT + column * WIDTH, TOP + row * HEIGHT
            draw.rectangle((x, y, x + across * WIDTH, y + down * HEIGHT), outline=30, width=2)
            draw.text((x + 8, y + 8), cell, fill=10, font=letters)
    return page


@pytest.mark.parametrize("way", list(WAYS))
def test_every_cell_is_in_its_place(way: str) -> None:
    page = WAYS[way](page_with_table(TABLE))
    reading = ocr.read_picture(page, check=lambda: None)
    title, table = blocks_of(reading)

    assert "价目表" in title.text
    assert table.grid is not None
    assert [["".join(cell.split()) for cell in row] for row in table.grid.rows] == [
        ["".join(cell.split()) for cell in row] for row in TABLE
    ]
    assert table.grid.head == 1
    assert table.box is not None
    assert table.box[2] - table.box[0] > 0.7 * page.width


def test_a_table_whose_lines_are_broken_says_so() -> None:
    page = page_with_table(TABLE)
    # A tear through the line between two rows.
    ImageDraw.Draw(page).rectangle((LEFT + 20, TOP + 3 * HEIGHT - 6, LEFT + 150, TOP + 3 * HEIGHT + 4), fill=250)
    reading = ocr.read_picture(page, check=lambda: None)

    assert "neighbour's cell" in " ".join(notice.text for notice in reading.notices)


def words_of(rows: list[list[str]], *, lean: float = 0.0) -> list[Word]:
    """The words of `page_with_table`, one a cell; each row is moved by `lean` of how far down it is."""
    return [
        Word(cell, round(x + lean * y), y, 90, 24, 1.0, (1, 1, row))
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        for x, y in [(LEFT + column * WIDTH + 8, TOP + row * HEIGHT + 8)]
    ]


def test_a_stamp_over_a_table_makes_no_columns() -> None:
    page = page_with_table(TABLE)
    middle, size = LEFT + 3 * WIDTH, 80
    ImageDraw.Draw(page).ellipse((middle - size, TOP + 10, middle + size, TOP + 10 + 2 * size), outline=80, width=6)
    [table] = find_tables(np.asarray(page), words_of(TABLE))

    assert table.grid.rows == TABLE


@pytest.mark.parametrize("lean", [-0.1, 0.1])
def test_a_table_seen_from_aside_keeps_its_last_columns(lean: float) -> None:
    page = page_with_table(TABLE)
    # Only what is upright leans: turning the picture would not mend it.
    leaning = page.transform(page.size, Image.Transform.AFFINE, (1, -lean, 0, 0, 1, 0), fillcolor=250)
    [table] = find_tables(np.asarray(leaning), words_of(TABLE, lean=lean))

    assert table.grid.rows == TABLE


def test_cells_that_cover_others_say_so() -> None:
    rows = [["Fees", "", "Paid"], ["North quay", "38.50", "yes"], ["", "41.00", "no"]]
    spans = {(0, 0): (1, 2), (0, 1): (0, 0), (1, 0): (2, 1), (2, 0): (0, 0)}
    reading = ocr.read_picture(page_with_table(rows, spans=spans), check=lambda: None)
    [table] = [block for block in blocks_of(reading) if block.grid]

    assert table.grid is not None
    assert table.grid.rows == rows
    assert set(table.grid.spans) == {Span(0, 0, columns=2), Span(1, 0, rows=2)}


def test_lines_of_print_on_a_long_strip_are_no_rules() -> None:
    lines = [f"{chinese_pages.CONTRACT[row % 6]}{row}、{'水电费按实际' * (row % 3)}" for row in range(300)]
    strip = chinese_pages.write(lines, size=48, extent=(1000, 300 * 96 + 60))
    words = [
        Word(line, 40, 30 + 96 * row, min(920, 48 * len(line)), 64, 1.0, (1, 1, row)) for row, line in enumerate(lines)
    ]

    assert find_tables(np.asarray(strip), words) == []


def test_a_frame_is_no_table() -> None:
    page = chinese_pages.write(["Berth 17", "38.50 a night"], extent=(500, 200))
    ImageDraw.Draw(page).rectangle((10, 10, 490, 190), outline=0, width=3)

    assert ocr.read_picture(page, check=lambda: None).tables == ()
