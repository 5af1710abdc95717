"""The child's side of `searchable`: copies scans and pictures into PDFs with their text; called through `contained`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

from tasks.engines import pdf_document, picture_file
from tasks.engines.contained import Tell
from tasks.engines.reading_order import Box
from tasks.engines.text_layer import TextLayer

# Of a page that is a picture: in points, as A4 is high.
LONG_SIDE = 842.0
# As many pixels as A4 has at 300 dots an inch.
MOST_PIXELS = (2480, 3508)
QUALITY = 85


def cover_pdf(tell: Tell, *, path: str, pages: dict[str, Any], into: str) -> None:
    """Write a copy of a PDF with the words of some pages over them; `pages` has them by the pages' numbers.

    Raises:
        UnreadableFile: see `pdf_document.open_pdf`.
    """
    with pdf_document.open_pdf(Path(path)) as document, _layer(document) as layer:
        for number, words in pages.items():
            with pdf_document.open_page(document, int(number)) as page:
                layer.write(page, words)
        document.save(into)


def cover_picture(tell: Tell, *, path: str, words: list[Any], into: str) -> None:
    """Write a PDF of one page that is a picture, with its words over it; their boxes are pixels of the upright picture.

    Raises:
        UnreadableFile, InputTooLarge: see `read_picture_file`.
    """
    picture = picture_file.read_picture_file(Path(path)).picture
    scale = LONG_SIDE / max(picture.size)
    width, height = (side * scale for side in picture.size)
    picture.thumbnail((max(MOST_PIXELS), max(MOST_PIXELS)))
    stored = io.BytesIO()
    picture.convert("RGB").save(stored, "JPEG", quality=QUALITY)
    document = pdfium.PdfDocument.new()
    with closing(document), _layer(document) as layer:
        page = document.new_page(width, height)
        image = pdfium.PdfImage.new(document)
        image.load_jpeg(stored, inline=True)
        image.set_matrix(pdfium.PdfMatrix().scale(width, height))
        page.insert_obj(image)
        layer.write(page, [(text, _scaled(box, scale)) for text, box in words])
        page.close()
        document.save(into)


def _scaled(box: list[float], scale: float) -> Box:
    left, top, right, bottom = box
    return (left * scale, top * scale, right * scale, bottom * scale)


@contextmanager
def _layer(document: pdfium.PdfDocument) -> Iterator[TextLayer]:
    layer = TextLayer(document)
    try:
        yield layer
    finally:
        layer.close()
