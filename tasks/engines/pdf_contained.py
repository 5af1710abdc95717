"""The child's side of `pdf_pages`: keeps one PDF open and reads its pages; called through `contained`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tasks.engines import pdf_document
from tasks.engines.contained import Tell, no_check
from tasks.engines.pdf_reader import OcrChoice, PdfReader, open_reader

THUMBNAIL_SIDE = 320

_open = ExitStack()
_reader: PdfReader | None = None


def open_document(tell: Tell, *, path: str) -> dict[str, Any]:
    """Open a PDF and return its number of pages and its metadata.

    Raises:
        UnreadableFile: see `pdf_document.open_pdf`.
    """
    global _reader
    close_document(tell)
    _reader = _open.enter_context(open_reader(Path(path)))
    return {"page_count": _reader.page_count, "metadata": _reader.metadata}


def read_page(tell: Tell, *, number: int, use_ocr: OcrChoice) -> dict[str, Any]:
    """Read one page of the open PDF; see `PdfReader.read_page`."""
    assert _reader is not None
    reading = asdict(_reader.read_page(number, use_ocr=use_ocr, check=no_check))
    reading["tables"] = [table["rows"] for table in reading["tables"]]
    return reading


def close_document(tell: Tell) -> None:
    """Close the open PDF, if there is one."""
    global _reader
    _reader = None
    _open.close()


def make_thumbnail(tell: Tell, *, path: str, into: str) -> dict[str, int]:
    """Write a small PNG of a PDF's first page into a file and return its size in pixels.

    Raises:
        UnreadableFile: see `pdf_document.open_pdf`.
    """
    with pdf_document.open_pdf(Path(path)) as document, pdf_document.open_page(document, 1) as page:
        picture = pdf_document.render(page, dpi=60)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    picture.save(into, "PNG")
    return {"width": picture.width, "height": picture.height}
