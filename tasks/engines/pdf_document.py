"""Opens a PDF with PDFium: its pages, what is drawn on them, its metadata."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image

from tasks.errors import UnreadableFile

MAX_RENDERED_PIXELS = 25_000_000
POINTS_PER_INCH = 72
# Of forms within forms, where drawings and pictures are looked for.
MAX_DEPTH = 5
# FPDF_GetLastError
PASSWORD_ERROR, SECURITY_ERROR = 4, 5


@contextmanager
def open_pdf(path: Path) -> Iterator[pdfium.PdfDocument]:
    """Open a PDF for as long as the block lasts.

    Raises:
        UnreadableFile: broken, without pages, or protected by a password.
    """
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == SECURITY_ERROR:
            raise UnreadableFile("The PDF is protected in a way that is not known here.") from error
        if getattr(error, "err_code", None) == PASSWORD_ERROR or "assword" in str(error):
            raise UnreadableFile("The PDF is protected by a password.") from error
        raise UnreadableFile("The file is not a readable PDF: it is broken or cut off.") from error
    try:
        if len(document) == 0:
            raise UnreadableFile("The PDF has no pages.")
        if document.get_formtype() != raw.FORMTYPE_NONE:
            # Before a page is opened, or its fields have no values.
            document.init_forms()
        yield document
    finally:
        document.close()


@contextmanager
def open_page(document: pdfium.PdfDocument, number: int) -> Iterator[pdfium.PdfPage]:
    """Open page `number`, counted from 1.

    Raises:
        UnreadableFile: this page is broken.
    """
    try:
        page = document[number - 1]
    except pdfium.PdfiumError as error:
        raise UnreadableFile(f"Page {number} of the PDF is broken.") from error
    try:
        yield page
    finally:
        page.close()


def metadata_of(document: pdfium.PdfDocument) -> dict[str, str]:
    """Return title, author, dates and the like, as far as the file tells."""
    found = {name.lower(): value.strip() for name, value in document.get_metadata_dict(skip_empty=True).items()}
    version = document.get_version()
    return {name: value for name, value in found.items() if value} | (
        {"pdf_version": f"{version // 10}.{version % 10}"} if version else {}
    )


def picture_shares(page: pdfium.PdfPage) -> list[float]:
    """Return the shares of the page, from 0 to 1, that its pictures cover, the largest first."""
    width, height = page.get_size()
    shares = []
    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=MAX_DEPTH):
        try:
            left, bottom, right, top = item.get_bounds()
        except pdfium.PdfiumError:
            continue
        shares.append(float(min(1.0, (right - left) * (top - bottom) / max(width * height, 1.0))))
    return sorted(shares, reverse=True)


def has_lines(page: pdfium.PdfPage) -> bool:
    """Return whether anything is drawn on the page that could be the lines of a table."""
    return next(iter(page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=MAX_DEPTH)), None) is not None


def render(page: pdfium.PdfPage, *, dpi: int) -> Image.Image:
    """Return the page as a grey picture, with fewer dots per inch where it would be too large."""
    width, height = page.get_size()
    scale = dpi / POINTS_PER_INCH
    scale = min(scale, (MAX_RENDERED_PIXELS / max(width * height, 1.0)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=True)
    picture: Image.Image = bitmap.to_pil()
    return picture
