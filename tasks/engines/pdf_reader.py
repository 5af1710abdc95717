"""Reads PDF pages: text in reading order, ruled tables, and scanned pages through OCR."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pdfplumber
import pdfplumber.pdf
import pypdfium2 as pdfium

from tasks.engines import ocr, pdf_document
from tasks.engines.document import Block, Notice, OcrChoice, Page
from tasks.engines.ocr_blocks import blocks_of as blocks_of_picture
from tasks.engines.ocr_blocks import words_of as words_of_picture
from tasks.engines.ocr_wish import ANYTHING, Wish
from tasks.engines.pdf_beside import blocks_beside, not_read_beside
from tasks.engines.pdf_characters import Character, PageText, characters_of, lying, turn_back, upright
from tasks.engines.pdf_damage import damage_of
from tasks.engines.pdf_layout import blocks_of
from tasks.engines.pdf_tables import Table, TooManyLinesError, find_tables
from tasks.errors import InputTooLarge, UnreadableFile

OCR_DPI = 300
# Below so many characters under a picture that fills half the page, the picture holds the text.
LITTLE_TEXT, MOSTLY_PICTURE = 200, 0.5
# Of the page: a picture that may have writing in it, and is no ornament.
LARGE_PICTURE, SMALL_PICTURE = 0.1, 0.01
# Above this share of characters that stand for nothing, the page's fonts hide what they say.
GARBLED_SHARE = 0.3
# Marks that OCR takes for letters are rarely many: fewer letters than this are believed only where it is sure.
FEW_LETTERS, SURE_OF_FEW = 4, 0.95


class PdfReader:
    """An open PDF. Pages are counted from 1."""

    def __init__(self, path: Path, document: pdfium.PdfDocument, stack: ExitStack) -> None:
        self._path, self._document, self._stack = path, document, stack
        self._plumber: pdfplumber.pdf.PDF | None = None
        self._is_damaged = False
        self.page_count = len(document)
        self.metadata = pdf_document.metadata_of(document)
        self.notices = [*damage_of(path), *not_read_beside(document)]

    def read_page(self, number: int, *, use_ocr: OcrChoice, check: Callable[[], None], wish: Wish = ANYTHING) -> Page:
        """Read one page; `check` is called between steps and may raise. A broken page is one with a notice.

        Raises:
            EngineError: OCR failed.
        """
        try:
            with pdf_document.open_page(self._document, number) as page:
                return self._read(page, number, use_ocr, check, wish)
        except UnreadableFile as error:
            return Page(number, notices=[Notice("unreadable", error.message, page=number)])

    def _read(
        self, page: pdfium.PdfPage, number: int, use_ocr: OcrChoice, check: Callable[[], None], wish: Wish
    ) -> Page:
        width, height = page.get_size()
        reading = Page(number, width=round(width, 2), height=round(height, 2))
        found = characters_of(page)
        quarters = lying(found.characters)
        characters = upright(found.characters, quarters)
        tables = self._tables(page, number, characters, quarters, reading.notices)
        reading.blocks = [_as_shown(block, quarters) for block in blocks_of(characters, tables)]
        garbled, shares = _is_garbled(found), pdf_document.picture_shares(page)
        if use_ocr == "always" or (use_ocr == "auto" and (garbled or _is_scan(shares, characters))):
            check()
            _read_picture(page, reading, check, wish, prefer_ocr=use_ocr == "always" or garbled)
        if found.nameless:
            reading.notices.append(_nameless(reading, found.nameless))
        # A page's picture shows its fields, too.
        seen = reading.text if reading.source == "ocr" else ""
        reading.blocks += [block for block in blocks_beside(self._document, page) if block.text not in seen]
        if reading.source != "ocr" and (unread := sum(share >= LARGE_PICTURE for share in shares)):
            what = "A picture was" if unread == 1 else f"{unread} pictures were"
            reading.notices.append(Notice("left out", f"Page {number}: {what} not read.", unread, number))
        if not reading.blocks and not reading.notices:
            # A blank page looks like one whose content was lost.
            reading.notices.append(Notice("no text", f"Page {number}: there is no text on it.", page=number))
        return reading

    def _tables(
        self, page: pdfium.PdfPage, number: int, characters: list[Character], quarters: int, notices: list[Notice]
    ) -> list[Table]:
        if not pdf_document.has_lines(page):
            return []
        why = "the file's structure is damaged"
        try:
            plumber = self._open_plumber()
            if plumber is not None and number <= len(plumber.pages):
                return find_tables(plumber.pages[number - 1], characters, quarters=quarters)
        except TooManyLinesError:
            why = "the page is a large drawing"
        except Exception as error:  # pdfminer raises whatever its code meets on a damaged page; the text is safe.
            why = f"they could not be read ({type(error).__name__})"
        finally:
            if self._plumber is not None and number <= len(self._plumber.pages):
                self._plumber.pages[number - 1].close()
        text = f"Page {number}: tables were not looked for, because {why}."
        notices.append(Notice("left out", text, page=number))
        return []

    def _open_plumber(self) -> pdfplumber.pdf.PDF | None:
        """Open the file with pdfminer, too, which takes longer than PDFium: only where a page has lines."""
        if self._plumber is None and not self._is_damaged:
            try:
                plumber = pdfplumber.open(self._path)
                # Not `plumber.close`: it walks through the pages, and raises what is caught here once more.
                self._stack.callback(plumber.stream.close)
                len(plumber.pages)
                self._plumber = plumber
            except Exception:  # As above: PDFium mends files that pdfminer gives up on.
                self._is_damaged = True
        return self._plumber


@contextmanager
def open_reader(path: Path) -> Iterator[PdfReader]:
    """Open a PDF for as long as the block lasts.

    Raises:
        UnreadableFile: see `pdf_document.open_pdf`.
    """
    with ExitStack() as stack:
        yield PdfReader(path, stack.enter_context(pdf_document.open_pdf(path)), stack)


def _as_shown(block: Block, quarters: int) -> Block:
    if not quarters or block.box is None:
        return block
    return replace(block, box=turn_back(block.box, 4 - quarters))


def _is_scan(shares: list[float], characters: list[Character]) -> bool:
    """Return whether a page says what it says by pictures of these shares of it."""
    if not characters:
        # A scan may be in strips, or be a receipt on a large page.
        return sum(shares) >= SMALL_PICTURE
    return len(characters) < LITTLE_TEXT and max(shares, default=0.0) >= MOSTLY_PICTURE


def _is_garbled(found: PageText) -> bool:
    return found.nameless > GARBLED_SHARE * (len(found.characters) + found.nameless)


def _nameless(page: Page, count: int) -> Notice:
    """Say what became of characters that stand for nothing."""
    told = f"Page {page.number}: the fonts of {count} characters do not tell what they stand for"
    if page.source == "ocr" and page.blocks:
        return Notice("unsure", f"{told}; the page was read by OCR.", count, page.number)
    return Notice("no text" if not page.blocks else "left out", f"{told}; they were left out.", count, page.number)


def _read_picture(
    page: pdfium.PdfPage, reading: Page, check: Callable[[], None], wish: Wish, *, prefer_ocr: bool
) -> None:
    picture = pdf_document.render(page, dpi=OCR_DPI)
    try:
        found = ocr.read_picture(picture, wish=wish, check=check)
    except (InputTooLarge, UnreadableFile) as error:
        # A page that takes too long, or brings its engine down, is no failed document.
        text = f"Page {reading.number}: its picture could not be read. {error.message}"
        reading.notices.append(Notice("no text" if not reading.blocks else "left out", text, page=reading.number))
        return
    text, confidence = found.text, round(found.confidence, 3)
    if text and sum(c.isalnum() for c in text) < FEW_LETTERS and confidence < SURE_OF_FEW:
        found = replace(found, words=[], tables=(), notices=(*found.notices, _few(text)))
        text = ""
    # A photograph with a caption: what the file itself says is surer than what is seen.
    if prefer_ocr or len(text) > len(reading.text):
        reading.source, reading.confidence = "ocr", confidence if text else None
        reading.language, reading.engine = found.language_tag, found.engine
        scale = (reading.width or picture.width) / picture.width
        reading.blocks = blocks_of_picture(found, scale=scale)
        reading.words = words_of_picture(found, scale=scale)
    if reading.source == "ocr" or not reading.blocks:
        reading.notices += [
            replace(notice, text=f"Page {reading.number}: {notice.text}", page=reading.number)
            for notice in found.notices
        ]


def _few(text: str) -> Notice:
    return Notice("no text", f"Only marks that may be no writing were seen ({text[: FEW_LETTERS * 2]!r}).")
