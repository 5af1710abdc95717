"""Measures tables: F1 of cells in their places, in PDFs with and without lines and in scans."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib import colors

from tasks.engines.any_file import read_document
from tasks.errors import TaskError
from tests.engines import pdfs
from tests.engines.pdfs import Cells
from tests.quality.cost import measured
from tests.quality.figures import Figure
from tests.quality.pages import LETTERS, PAPER, SEED, draw_grid, photographed, scanned, turned
from tests.samples.make import SALES, STAFF

HELD: Sequence[Cells] = (
    [
        ["Line", "Stop", "First tram", "Last tram", "Fare"],
        ["4", "Old Mill", "05:12", "23:48", "2.40"],
        ["4", "Cathedral Square", "05:21", "23:57", "2.40"],
        ["11", "Botanic Garden", "06:03", "22:30", "3.10"],
        ["11", "", "06:15", "22:42", "3.10"],
        ["N2", "Airport", "00:30", "04:30", "6.80"],
    ],
    [
        ["Sample", "pH", "Iron (mg/l)", "Colour"],
        ["Spring A", "7.2", "0.04", "clear"],
        ["Spring B", "6.9", "0.31", "yellowish"],
        ["Well 17", "7.8", "< 0.02", "clear"],
        ["Pond", "8.4", "1.75", "green"],
    ],
)
TUNED: Sequence[Cells] = (SALES, STAFF)
HEAD = ("LINEBELOW", (0, 0), (-1, 0), 0.7, colors.black)
STRIPES = ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.whitesmoke, colors.lightgrey])
STYLES: Mapping[str, Sequence[Any]] = {
    "ruled": (pdfs.GRID,),
    "striped": (HEAD, STRIPES),
    "borderless": (("ALIGN", (1, 0), (-1, -1), "RIGHT"), ("FONTSIZE", (0, 0), (-1, -1), 10)),
}
SCANS = {"scanned, ruled": turned, "photographed, ruled": photographed, "old scan, ruled": scanned}


def measure(kinds: Sequence[str] = (*STYLES, *SCANS)) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            with measured() as cost:
                held = _mean(kind, HELD, Path(folder))
            yield Figure("tables", kind, "held", held)
            yield Figure("tables", kind, "tuned", _mean(kind, TUNED, Path(folder)))
            yield Figure("seconds", f"table, {kind}", "auto", cost.seconds / len(HELD))
            yield Figure("memory", f"table, {kind}", "auto", cost.megabytes)


def _mean(kind: str, tables: Sequence[Cells], folder: Path) -> float:
    return sum(_score(kind, cells, folder) for cells in tables) / len(tables)


def _score(kind: str, cells: Cells, folder: Path) -> float:
    if kind in STYLES:
        path, content_type = folder / "table.pdf", "application/pdf"
        pdfs.table_pdf(path, cells, *STYLES[kind], font="Times-Roman")
    else:
        path, content_type = folder / "table.png", "image/png"
        SCANS[kind](_drawn(cells), SEED).save(path)
    try:
        read = read_document(path, content_type, most_pages=1, most_scans=1)
    except TaskError:
        return 0.0
    found = [grid.rows for page in read.pages for grid in page.tables]
    return max((cell_f1(rows, cells) for rows in found), default=0.0)


def _drawn(cells: Cells) -> Image.Image:
    page = Image.new("L", (200 * len(cells[0]) + 100, 50 * len(cells) + 170), PAPER)
    face = ImageFont.truetype(str(LETTERS / "_er_____.pfb"), 22)
    ImageDraw.Draw(page).text((50, 40), "As counted by hand in the spring:", fill=20, font=face)
    draw_grid(page, cells, face, left=50, top=100)
    return page


def cell_f1(found: Sequence[Sequence[str]], true: Sequence[Sequence[str]]) -> float:
    """Return the harmonic mean of the share of cells found that are right, and of true cells that are found.

    A cell is right with its text in its place, spaces aside; a row or column too many at the edge is counted once, not
    in every cell behind it.

    >>> cell_f1([["a", "b"], ["c", "d"]], [["a", "b"], ["c", "x"]])
    0.75
    >>> cell_f1([["Title", ""], ["a", "b"], ["c", "d"]], [["a", "b"], ["c", "d"]])
    0.8
    """
    wanted = _cells(true)
    best = 0
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            seen = {(row + down, column + across, text) for row, column, text in _cells(found)}
            best = max(best, len(seen & wanted))
    # Empty places are no cells that anybody looks for; those that are filled count wherever they are.
    count = sum(len(row) for row in found) + sum(len(row) for row in true)
    empty = sum(not cell.strip() for row in [*found, *true] for cell in row)
    return round(2 * best / max(1, count - empty), 4) if best else 0.0


def _cells(rows: Sequence[Sequence[str]]) -> set[tuple[int, int, str]]:
    return {
        (number, place, "".join(cell.split()))
        for number, row in enumerate(rows)
        for place, cell in enumerate(row)
        if cell.strip()
    }
