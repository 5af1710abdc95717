"""Invisible text: it is where it was put, on turned and cut pages too, in any writing, and nobody sees it."""

from __future__ import annotations

import ctypes
from contextlib import closing
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as raw
import pytest

from tasks.engines.text_layer import TextLayer

WIDE, HIGH = 300, 400
WORDS = [
    ("Harbour", (40.0, 50.0, 140.0, 70.0)),
    ("码头", (40.0, 100.0, 90.0, 125.0)),
    ("\U0001f6a2", (0.0, 0.0, 9.0, 9.0)),
]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_words_stand_where_they_were_put(tmp_path: Path, turn: int) -> None:
    with closing(pdfium.PdfDocument.new()) as document:
        page = document.new_page(WIDE, HIGH)
        page.set_cropbox(20, 30, WIDE, HIGH)
        page.set_rotation(turn)
        document.save(tmp_path / "plain.pdf")
    with closing(pdfium.PdfDocument(tmp_path / "plain.pdf")) as document:
        with closing(document[0]) as page:
            before = page.render(scale=1).to_numpy()
            layer = TextLayer(document)
            layer.write(page, WORDS)
            layer.close()
        document.save(tmp_path / "covered.pdf")

    with closing(pdfium.PdfDocument(tmp_path / "covered.pdf")) as document:
        page = document[0]
        assert (page.render(scale=1).to_numpy() == before).all()
        text = page.get_textpage()
        assert text.get_text_range().split() == ["Harbour", "码头"]
        assert shown(page, text.get_charbox(0)) == pytest.approx((40, 50, 40 + 100 / 7, 70), abs=0.5)


def shown(page: pdfium.PdfPage, box: tuple[float, float, float, float]) -> list[float]:
    """Return left, top, right, bottom of a box as the page is shown."""
    size = [round(side * 100) for side in page.get_size()]
    left, bottom, right, top = box
    corners = []
    for x, y in ((left, bottom), (right, top)):
        found = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, *found)
        corners.append([coordinate.value / 100 for coordinate in found])
    return [*map(min, *corners), *map(max, *corners)]
