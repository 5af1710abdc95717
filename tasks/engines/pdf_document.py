"""Opens a PDF with PDFium: its pages' characters with their boxes, their pictures, their metadata."""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image

from tasks.engines.reading_order import Box, Piece
from tasks.errors import UnreadableFile

MAX_RENDERED_PIXELS = 25_000_000
POINTS_PER_INCH = 72
# Text that leans by fewer degrees belongs to the lines about it.
MOST_SLANT = 10
# PDFium writes these for a hyphen at the end of a line.
HYPHENS = {"\x02": "-", "\ufffe": "-", "\xad": "-"}
# FPDF_GetLastError
PASSWORD_ERROR, SECURITY_ERROR = 4, 5


@dataclass(frozen=True)
class Character(Piece):
    """A character; `order` is its place in the file, `turn` by how many degrees it lies clockwise on the page."""

    order: int
    turn: int

    @property
    def level(self) -> bool:
        return self.turn <= MOST_SLANT or self.turn >= 360 - MOST_SLANT


@contextmanager
def open_pdf(path: Path) -> Iterator[pdfium.PdfDocument]:
    """Open a PDF for as long as the block lasts.

    Raises:
        UnreadableFile: broken, without pages, or protected by a password.
    """
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) in {PASSWORD_ERROR, SECURITY_ERROR} or "assword" in str(error):
            raise UnreadableFile("The PDF is protected by a password.") from error
        raise UnreadableFile("The file is not a readable PDF: it is broken or cut off.") from error
    try:
        if len(document) == 0:
            raise UnreadableFile("The PDF has no pages.")
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


def characters_of(page: pdfium.PdfPage) -> list[Character]:
    """Return the page's characters in the file's order, white space left out; boxes in points as the page is shown."""
    text = page.get_textpage()
    try:
        return list(_characters(page, text))
    finally:
        text.close()


def _characters(page: pdfium.PdfPage, text: pdfium.PdfTextPage) -> Iterator[Character]:
    box, high = raw.FS_RECTF(), 0
    turn = page.get_rotation()
    for order in range(text.count_chars()):
        code = raw.FPDFText_GetUnicode(text.raw, order)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000 and high:
            code, high = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00), 0
        letter = chr(code)
        letter = HYPHENS.get(letter, letter)
        if code == 0 or letter.isspace() or not raw.FPDFText_GetLooseCharBox(text.raw, order, ctypes.byref(box)):
            continue
        left, top, right, bottom = _shown(page, (box.left, box.bottom, box.right, box.top))
        angle = round(raw.FPDFText_GetCharAngle(text.raw, order) * 180 / math.pi + turn) % 360
        yield Character(letter, left, top, right, bottom, order=order, turn=angle)


def lying(characters: Sequence[Character]) -> int:
    """Return by how many quarter turns clockwise most of a page's text lies: 0 where it can be read as shown."""
    quarters = Counter(round(character.turn / 90) % 4 for character in characters)
    return max(quarters, key=lambda quarter: quarters[quarter]) if quarters else 0


def upright(characters: Sequence[Character], quarters: int) -> list[Character]:
    """Return the characters as if the page were turned back by quarter turns."""
    turned = []
    for c in characters:
        left, top, right, bottom = turn_back((c.left, c.top, c.right, c.bottom), quarters)
        turned.append(Character(c.text, left, top, right, bottom, order=c.order, turn=(c.turn - 90 * quarters) % 360))
    return turned


def turn_back(box: Box, quarters: int) -> Box:
    """Turn a box counter-clockwise about the page's upper left corner; it may come to lie at negative places."""
    for _ in range(quarters):
        left, top, right, bottom = box
        box = (top, -right, bottom, -left)
    return box


def words_of(characters: Sequence[Character]) -> list[Piece]:
    """Join characters that follow each other in the file without white space, on one line, to words."""
    words: list[Piece] = []
    current: list[Character] = []
    for character in characters:
        if current and not _continues(current[-1], character):
            words.append(_joined(current))
            current = []
        current.append(character)
    if current:
        words.append(_joined(current))
    return words


def text_in_file_order(characters: Sequence[Character]) -> str:
    """Return the words as the file has them, for text that runs along no common line."""
    text, before = "", -1
    for character in characters:
        text += ("" if not text or character.order == before + 1 else " ") + character.text
        before = character.order
    return text


def _continues(before: Character, after: Character) -> bool:
    return (
        after.order == before.order + 1
        and abs(after.middle - before.middle) < 0.6 * max(before.height, after.height)
        and -0.5 * before.height < after.left - before.right < 0.5 * max(before.height, after.height)
    )


def _joined(characters: list[Character]) -> Piece:
    return Piece(
        "".join(character.text for character in characters),
        min(character.left for character in characters),
        min(character.top for character in characters),
        max(character.right for character in characters),
        max(character.bottom for character in characters),
    )


def picture_share(page: pdfium.PdfPage) -> float:
    """Return the share of the page, from 0 to 1, that its largest picture covers."""
    width, height = page.get_size()
    largest = 0.0
    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        try:
            left, bottom, right, top = item.get_bounds()
        except pdfium.PdfiumError:
            continue
        largest = max(largest, (right - left) * (top - bottom))
    return float(min(1.0, largest / max(width * height, 1.0)))


def render(page: pdfium.PdfPage, *, dpi: int) -> Image.Image:
    """Return the page as a grey picture, with fewer dots per inch where it would be too large."""
    width, height = page.get_size()
    scale = dpi / POINTS_PER_INCH
    scale = min(scale, (MAX_RENDERED_PIXELS / max(width * height, 1.0)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=True)
    picture: Image.Image = bitmap.to_pil()
    return picture


def _shown(page: pdfium.PdfPage, box: Box) -> Box:
    """Turn a box of the file (left, bottom, right, top; upwards) into one of the page as shown (downwards)."""
    left, bottom, right, top = box
    # The media box and not the visible crop box: so does pdfplumber, whose tables are laid over this.
    x0, y0, x1, y1 = page.get_mediabox()
    match page.get_rotation():
        case 90:
            return bottom - y0, left - x0, top - y0, right - x0
        case 180:
            return x1 - right, bottom - y0, x1 - left, top - y0
        case 270:
            return y1 - top, x1 - right, y1 - bottom, x1 - left
        case _:
            return left - x0, y1 - top, right - x0, y1 - bottom
