"""Reads PDF pages: text in reading order, ruled tables, and scanned pages through OCR."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pdfplumber
import pdfplumber.pdf
import pypdfium2 as pdfium

from tasks.engines import ocr, pdf_document
from tasks.engines.pdf_document import Character
from tasks.engines.pdf_tables import Table, TooManyLinesError, find_tables
from tasks.engines.reading_order import Piece, text_of

OCR_DPI = 300
# Below so many characters under a picture that fills half the page, the picture holds the text.
LITTLE_TEXT, MOSTLY_PICTURE = 200, 0.5
# Above this share of characters that stand for nothing, the page's fonts hide what they say.
GARBLED_SHARE = 0.3

OcrChoice = Literal["auto", "always", "never"]


@dataclass
class PageReading:
    """One page as read. `prose` is its text without the tables, `confidence` OCR's, sizes are points (1/72 inch)."""

    number: int
    width: float
    height: float
    text: str
    prose: str = ""
    source: Literal["text", "ocr"] = "text"
    confidence: float | None = None
    tables: list[Table] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class PdfReader:
    """An open PDF. Pages are counted from 1."""

    def __init__(self, document: pdfium.PdfDocument, plumber: pdfplumber.pdf.PDF | None) -> None:
        self._document = document
        self._plumber = plumber
        self.page_count = len(document)
        self.metadata = pdf_document.metadata_of(document)

    def read_page(self, number: int, *, use_ocr: OcrChoice, check: Callable[[], None]) -> PageReading:
        """Read one page; `check` is called between steps and may raise.

        Raises:
            UnreadableFile: the page is broken.
            EngineError: OCR failed.
        """
        with pdf_document.open_page(self._document, number) as page:
            width, height = page.get_size()
            characters = pdf_document.characters_of(page)
            quarters = pdf_document.lying(characters)
            characters = pdf_document.upright(characters, quarters)
            reading = PageReading(number, round(width, 2), round(height, 2), "")
            reading.tables = self._tables(number, characters, quarters, reading.warnings)
            reading.text = _layout(characters, reading.tables)
            reading.prose = _layout(characters, reading.tables, with_rows=False)
            if use_ocr == "always" or (use_ocr == "auto" and _needs_ocr(page, characters)):
                check()
                _read_picture(page, reading, check, prefer_ocr=use_ocr == "always" or _is_garbled(characters))
            return reading

    def _tables(self, number: int, characters: list[Character], quarters: int, warnings: list[str]) -> list[Table]:
        if self._plumber is None or number > len(self._plumber.pages):
            warnings.append(f"Page {number}: tables were not looked for, because the file's structure is damaged.")
            return []
        page = self._plumber.pages[number - 1]
        try:
            return find_tables(page, characters, quarters=quarters)
        except TooManyLinesError:
            warnings.append(f"Page {number}: tables were not looked for, because the page is a large drawing.")
        except Exception as error:  # pdfminer raises whatever its code meets on a damaged page; the text is safe.
            warnings.append(f"Page {number}: tables could not be read ({type(error).__name__}).")
        finally:
            page.close()
        return []


@contextmanager
def open_reader(path: Path) -> Iterator[PdfReader]:
    """Open a PDF for as long as the block lasts.

    Raises:
        UnreadableFile: see `pdf_document.open_pdf`.
    """
    with ExitStack() as stack:
        document = stack.enter_context(pdf_document.open_pdf(path))
        try:
            plumber: pdfplumber.pdf.PDF | None = pdfplumber.open(path)
            assert plumber is not None
            # Not `plumber.close`: it walks through the pages, and raises what is caught here once more.
            stack.callback(plumber.stream.close)
            len(plumber.pages)
        except Exception:  # As above: PDFium mends files that pdfminer gives up on.
            plumber = None
        yield PdfReader(document, plumber)


def _layout(characters: list[Character], tables: list[Table], *, with_rows: bool = True) -> str:
    """Return the page's text: level text in reading order, a table's row a line, then text that runs another way."""
    loose = [c for c in characters if c.level and not any(_within(c, table) for table in tables)]
    pieces = pdf_document.words_of(loose)
    for table in tables if with_rows else ():
        pieces += _rows_as_pieces(table)
    slanting = pdf_document.text_in_file_order([c for c in characters if not c.level])
    return "\n\n".join(part for part in (text_of(pieces), slanting) if part)


def _rows_as_pieces(table: Table) -> list[Piece]:
    left, top, right, bottom = table.box
    step = (bottom - top) / len(table.rows)
    return [
        Piece(text, left, top + step * (place + 0.1), right, top + step * (place + 0.9))
        for place, row in enumerate(table.rows)
        if (text := " ".join(cell for cell in row if cell))
    ]


def _within(character: Character, table: Table) -> bool:
    left, top, right, bottom = table.box
    return left <= (character.left + character.right) / 2 <= right and top <= character.middle <= bottom


def _needs_ocr(page: pdfium.PdfPage, characters: list[Character]) -> bool:
    if _is_garbled(characters):
        return True
    return len(characters) < LITTLE_TEXT and pdf_document.picture_share(page) >= MOSTLY_PICTURE


def _is_garbled(characters: list[Character]) -> bool:
    strange = sum(unicodedata.category(c.text) in {"Co", "Cn", "Cc", "Cs"} or c.text == "\ufffd" for c in characters)
    return strange > GARBLED_SHARE * len(characters) if characters else False


def _read_picture(page: pdfium.PdfPage, reading: PageReading, check: Callable[[], None], *, prefer_ocr: bool) -> None:
    found = ocr.read_picture(pdf_document.render(page, dpi=OCR_DPI), check=check)
    # A photograph with a caption: what the file itself says is surer than what is seen.
    if prefer_ocr or len(found.text) > len(reading.text):
        reading.text, reading.source, reading.confidence = found.text, "ocr", round(found.confidence, 3)
        reading.prose = found.text
