"""How results show a document: facts of its pages, notices, and its blocks and Markdown where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from tasks.engines.document import BlockKind, Document, Grid, Notice, NoticeKind, Unit
from tasks.engines.document_views import markdown_of

View = Literal["blocks", "markdown"]
# A list in the schema: openapi-fetch makes arrays of tuples in what it reads, which then do not fit their own type.
Box = Annotated[
    tuple[float, float, float, float],
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}),
]

MAX_BLOCKS = 20_000
BOX = "left, top, right, bottom on the page as it is shown, in the page's unit; null where it is not known"
HEAD = "how many of the first rows name the columns, as far as it is known"
SPANS = "cells that cover several places, as far as it is known"
BLOCKS = (
    "with `include`: the pieces of the text in reading order; tables have their text here and their cells in tables"
)
MARKDOWN = "with `include`: the whole as Markdown, with headings, lists and tables"
NOTICES = "what the warnings say, for programs: kind, how many, and where"


class NoticeShown(BaseModel):
    kind: NoticeKind
    text: str = Field(description="the warning")
    count: int = Field(description="how many pages, cells, characters, … it is about")
    page: int | None = Field(description="counted from 1; null where it is about the whole file")


class PageFacts(BaseModel):
    number: int | None = Field(description="counted from 1; null for files without pages")
    title: str = Field(description="a sheet's name, a slide's or web page's title; empty where there is none")
    source: Literal["text", "ocr"]
    confidence: float | None = Field(description="of OCR, from 0 to 1; null for what the file itself says")
    language: str | None = Field(description="as a BCP 47 tag, where it is known")
    engine: str | None = Field(default=None, description="that read a scan or picture: tesseract or pp-ocr")
    characters: int
    width: float | None
    height: float | None
    unit: Unit = Field(description="of width, height and boxes; points are 1/72 inch")


class SpanShown(BaseModel):
    """A cell that covers several places; its text stands in the first of them, the others are empty."""

    row: int = Field(description="of the first place, counted from 0")
    column: int
    rows: int = Field(description="how many it covers")
    columns: int


class BlockShown(BaseModel):
    page: int | None
    kind: BlockKind = Field(description="list is one item of a list; note a comment, a footnote or a speaker's note")
    text: str
    level: int | None = Field(description="a heading's rank or an item's depth, from 1")
    box: Box | None = Field(description=BOX)
    language: str | None
    confidence: float | None


def include_field() -> Any:
    """Return the input field that asks for views."""
    return Field(
        default=[],
        title="Also in the result",
        description="blocks: the pieces of the text with kind, page and box · markdown: the whole as Markdown",
        max_length=2,
        # The page of a result shows them beside the document.
        json_schema_extra={"x-form": ["blocks"]},
    )


def notices_shown(document: Document) -> list[NoticeShown]:
    return [notice_shown(notice) for notice in document.all_notices()]


def notice_shown(notice: Notice) -> NoticeShown:
    return NoticeShown(kind=notice.kind, text=notice.text, count=notice.count, page=notice.page)


def facts_of_pages(document: Document) -> list[PageFacts]:
    """Tell how each page was read."""
    return [
        PageFacts(
            number=page.number,
            title=page.title,
            source=page.source,
            confidence=page.confidence,
            language=page.language,
            engine=page.engine,
            characters=sum(len(block.text) for block in page.blocks),
            width=page.width,
            height=page.height,
            unit=page.unit,
        )
        for page in document.pages
    ]


def spans_shown(grid: Grid, *, rows: int | None = None) -> list[SpanShown]:
    """Return the spans of a table, or of its first rows."""
    kept = grid.spans if rows is None else [span for span in grid.spans if span.row + span.rows <= rows]
    return [SpanShown(row=span.row, column=span.column, rows=span.rows, columns=span.columns) for span in kept]


def blocks_shown(document: Document, include: Sequence[View]) -> list[BlockShown] | None:
    """Return the blocks, if they are asked for; a notice says when there are more than one result holds."""
    if "blocks" not in include:
        return None
    blocks = [
        BlockShown(
            page=page.number,
            kind=block.kind,
            text=block.text,
            level=block.level,
            box=block.box,
            language=block.language or page.language,
            confidence=block.confidence,
        )
        for page in document.pages
        for block in page.blocks
    ]
    if (over := len(blocks) - MAX_BLOCKS) > 0:
        document.notices.append(Notice("limit", f"Only the first {MAX_BLOCKS:,} blocks are in the result.", over))
    return blocks[:MAX_BLOCKS]


def markdown_shown(document: Document, include: Sequence[View], *, most: int) -> str | None:
    """Return the Markdown, if it is asked for; a notice says when it is cut at `most` characters."""
    if "markdown" not in include:
        return None
    text = markdown_of(document)
    if (over := len(text) - most) > 0:
        document.notices.append(Notice("limit", f"Only the first {most:,} characters of the Markdown are here.", over))
    return text[:most]
