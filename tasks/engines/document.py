"""What a file says, whatever its format: pages of blocks in reading order. Every reader makes one; every task reads it.

A block has its text as the file writes it. Text and Markdown are views of blocks (`document_views`), tables are theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from tasks.engines.reading_order import Box
from tasks.registry import EngineInfo

# A list is one item of it; a note is a comment, a footnote, or what a speaker says to a slide.
BlockKind = Literal["heading", "paragraph", "list", "table", "caption", "code", "note", "header", "footer"]
NoticeKind = Literal[
    "encoding",  # the encoding was guessed, or some characters do not fit it
    "left out",  # something is in the file and not in the result
    "limit",  # the rest is beyond what one task reads
    "unreadable",  # a part is broken
    "no text",  # a page whose text could not be read, so that its emptiness means nothing
    "unsure",  # read, but with little confidence
    "name",  # the file's name says something else than its content
]
# Whether pages are read by their pictures: those without text of their own, all, or none.
OcrChoice = Literal["auto", "always", "never"]
# The boxes' unit: points are 1/72 inch.
Unit = Literal["points", "pixels"]


@dataclass(frozen=True)
class Notice:
    """Something that the result lacks or that was guessed: its kind, a sentence for people, how many, and where."""

    kind: NoticeKind
    text: str
    count: int = 1
    page: int | None = None


@dataclass(frozen=True)
class Span:
    """A cell that covers several places; its text stands in the first of them, the others are empty."""

    row: int
    column: int
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class Grid:
    """The cells of a table: rows from top to bottom, empty cells as empty strings; `head` rows name the columns."""

    rows: list[list[str]]
    head: int = 0
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Block:
    """A piece of a page. `gap` is the white space between it and the block before.

    `box` is left, top, right, bottom in the page's unit, from its upper left corner as the page is shown.
    `level` is a heading's rank or a list item's depth, from 1. `confidence` is from 0 to 1, None for what
    the file itself says; `language` a BCP 47 tag, None where it is not known or the page's.
    """

    kind: BlockKind
    text: str
    box: Box | None = None
    level: int | None = None
    grid: Grid | None = None
    language: str | None = None
    confidence: float | None = None
    gap: str = "\n\n"


@dataclass
class Page:
    """A page, slide or sheet, counted from 1, or a file without pages (number None). Blocks are in reading order.

    `engine` is the one that read a scan or a picture; `words` are what it read, each with its box.
    """

    number: int | None
    blocks: list[Block] = field(default_factory=list)
    title: str = ""
    width: float | None = None
    height: float | None = None
    unit: Unit = "points"
    source: Literal["text", "ocr"] = "text"
    confidence: float | None = None
    language: str | None = None
    engine: str | None = None
    notices: list[Notice] = field(default_factory=list)
    words: list[tuple[str, Box]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Everything in reading order, a row of a table a line."""
        return joined(self.blocks)

    @property
    def prose(self) -> str:
        """The text without the tables."""
        return joined([block for block in self.blocks if block.grid is None])

    @property
    def tables(self) -> list[Grid]:
        return [block.grid for block in self.blocks if block.grid is not None]


@dataclass
class Document:
    """What was read of a file. `page_count` counts all pages, also those not read; None for files without pages."""

    pages: list[Page] = field(default_factory=list)
    page_count: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    engine: EngineInfo = field(default_factory=lambda: EngineInfo(name="portal", version="1"))

    @property
    def text(self) -> str:
        return "\n\n".join(text for page in self.pages if (text := page.text))

    def all_notices(self) -> Iterator[Notice]:
        """Yield the notices of the pages, then those of the whole file."""
        for page in self.pages:
            yield from page.notices
        yield from self.notices

    def warnings(self) -> list[str]:
        """Return the notices' sentences."""
        return [notice.text for notice in self.all_notices()]


def joined(blocks: list[Block]) -> str:
    """Return the blocks' texts with the gaps between them.

    >>> joined([Block("heading", "Tides"), Block("paragraph", "High"), Block("paragraph", "Low", gap=" ")])
    'Tides\\n\\nHigh Low'
    """
    parts: list[str] = []
    for block in blocks:
        if block.text:
            parts += [block.gap, block.text] if parts else [block.text]
    return "".join(parts)


def text_page(text: str, tables: list[list[list[str]]] | None = None, *, number: int | None = None) -> Page:
    """Return a page of one text; `tables` are rows of cells whose text stands in it already."""
    grids = [Block("table", "", grid=Grid(rows)) for rows in tables or ()]
    return Page(number, [Block("paragraph", text), *grids])


def to_plain(value: Document | Page) -> dict[str, Any]:
    """Return a document or page as JSON values, to be sent from the process that read it."""
    adapter = _adapter(Document) if isinstance(value, Document) else _adapter(Page)
    plain: dict[str, Any] = adapter.dump_python(value, mode="json", exclude_defaults=True)
    return plain


def document_of(plain: dict[str, Any]) -> Document:
    """Return a document as `to_plain` wrote it."""
    document: Document = _adapter(Document).validate_python(plain)
    return document


def page_of(plain: dict[str, Any]) -> Page:
    """Return a page as `to_plain` wrote it."""
    page: Page = _adapter(Page).validate_python(plain)
    return page


@cache
def _adapter(kind: type[Document] | type[Page]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
