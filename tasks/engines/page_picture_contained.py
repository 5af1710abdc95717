"""The child's side of `page_picture`: draws pages; called through `contained`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tasks.engines import pdf_document, picture_file
from tasks.engines.contained import Tell
from tasks.errors import UnreadableFile

QUALITY = 80


def draw_pdf(tell: Tell, *, path: str, number: int, side: int, into: str) -> None:
    """Write a page of a PDF into a file, as it is shown.

    Raises:
        UnreadableFile: see `pdf_document.open_pdf`; or there is no such page.
    """
    with pdf_document.open_pdf(Path(path)) as document:
        if not 1 <= number <= len(document):
            raise UnreadableFile(f"The PDF has no page {number}.")
        with pdf_document.open_page(document, number) as page:
            # The longer side decides: however narrow the page is, there are no more pixels than a square has.
            scale = side / max(*page.get_size(), 1.0)
            _save(page.render(scale=scale, may_draw_forms=True).to_pil(), into)


def draw_picture(tell: Tell, *, path: str, number: int, side: int, into: str) -> None:
    """Write a frame of a picture into a file, upright, never larger than it is.

    Raises:
        UnreadableFile, InputTooLarge: see `read_picture_file`.
    """
    picture = picture_file.read_picture_file(Path(path), number - 1).picture
    picture.thumbnail((side, side))
    _save(picture, into)


def _save(picture: Image.Image, into: str) -> None:
    picture.save(into, "WEBP", quality=QUALITY)
