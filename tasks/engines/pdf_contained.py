"""The child's side of `pdf_pages`: keeps one PDF open and reads its pages; called through `contained`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tasks.engines import pdf_document
from tasks.engines.contained import Tell, no_check
from tasks.engines.document import OcrChoice, to_plain
from tasks.engines.ocr_wish import Wish
from tasks.engines.pdf_reader import PdfReader, open_reader

THUMBNAIL_SIDE = 320

_open = ExitStack()
_reader: PdfReader | None = None


def open_document(tell: Tell, *, path: str) -> dict[str, Any]:
    """Open a PDF and return its number of pages, its metadata, and what is to be said of the whole of it.

    Raises:
        UnreadableFile: see `pdf_document.open_pdf`.
    """
    global _reader
    close_document(tell)
    _reader = _open.enter_context(open_reader(Path(path)))
    notices = [asdict(notice) for notice in _reader.notices]
    return {"page_count": _reader.page_count, "metadata": _reader.metadata, "notices": notices}


def read_page(tell: Tell, *, number: int, use_ocr: OcrChoice, wish: dict[str, Any] | None = None) -> dict[str, Any]:
    """Read one page of the open PDF; see `PdfReader.read_page`."""
    assert _reader is not None
    return to_plain(_reader.read_page(number, use_ocr=use_ocr, check=no_check, wish=Wish.of_plain(wish)))


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
