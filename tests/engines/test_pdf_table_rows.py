"""Rows of tables that have no rules of their own: below a ruled head, between stripes, above the first stripe."""

from __future__ import annotations

from pathlib import Path

import pytest
from reportlab.lib import colors

from tasks.engines import pdf_characters, pdf_document, pdf_tables
from tasks.engines.document import Span
from tasks.engines.pdf_tables import Table
from tests.engines import pdfs

ROWS = [["Region", "Q1", "Q2"], ["North", "1,204", "1,310"], ["South", "980", "1,015"], ["East", "1,530", "1,498"]]
ROWS += [["West", "745", "802"], ["Centre", "12", "15"]]
GREY = colors.lightgrey
BOX = ("BOX", (0, 0), (-1, -1), 0.5, colors.black)
STYLES: dict[str, list[tuple[object, ...]]] = {
    "a head and a frame": [("BACKGROUND", (0, 0), (-1, 0), GREY), BOX],
    "rules between columns": [
        BOX,
        ("LINEBEFORE", (1, 0), (-1, -1), 0.5, colors.black),
        ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
    ],
    "every other row in colour": [("BACKGROUND", (0, row), (-1, row), GREY) for row in (1, 3, 5)],
    "every other row in colour, cell by cell": [
        ("BACKGROUND", (column, row), (column, row), GREY) for row in (1, 3, 5) for column in range(3)
    ],
}


def tables_of(path: Path) -> list[Table]:
    import pdfplumber

    with pdf_document.open_pdf(path) as document, pdf_document.open_page(document, 1) as page:
        characters = pdf_characters.characters_of(page).characters
    with pdfplumber.open(path) as opened:
        return pdf_tables.find_tables(opened.pages[0], characters)


@pytest.mark.parametrize("style", list(STYLES))
def test_each_row_is_a_row(style: str, tmp_path: Path) -> None:
    [table] = tables_of(pdfs.table_pdf(tmp_path / "table.pdf", ROWS, *STYLES[style]))

    assert table.rows == ROWS
    assert table.head == 1


def test_cells_of_several_lines_stay_one(tmp_path: Path) -> None:
    rows = [["Item", "What for"], ["Lamp\nof brass\nin a case", "Shows the\nway in\nat night"], ["Rope", "Ties"]]
    [table] = tables_of(pdfs.table_pdf(tmp_path / "wrapped.pdf", rows, pdfs.GRID))

    assert table.rows[1] == ["Lamp of brass in a case", "Shows the way in at night"]
    assert len(table.rows) == 3


def test_cells_that_cover_others_say_so(tmp_path: Path) -> None:
    rows = [["", "Units", ""], ["North", "1,204", "1,310"], ["", "980", "1,015"], ["East", "1,530", "1,498"]]
    spans = [("SPAN", (0, 1), (0, 2)), ("SPAN", (1, 0), (2, 0))]
    [table] = tables_of(pdfs.table_pdf(tmp_path / "spans.pdf", rows, pdfs.GRID, *spans))

    assert table.rows == rows
    assert set(table.spans) == {Span(0, 1, columns=2), Span(1, 0, rows=2)}
