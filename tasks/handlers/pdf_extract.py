"""pdf.extract: the text, tables and metadata of a PDF; scanned pages through OCR."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from tasks.context import Context
from tasks.engines.any_file import pdf_engine, with_ocr
from tasks.engines.document import Document, Notice, OcrChoice
from tasks.engines.document import Page as PageRead
from tasks.engines.ocr_wish import AUTO, Wish
from tasks.engines.page_ranges import PAGES, choose_pages, parse_pages
from tasks.engines.pdf_pages import PdfPages, open_pages
from tasks.errors import GiveUp, InputTooLarge
from tasks.handlers.document_shown import (
    BLOCKS,
    BOX,
    HEAD,
    MARKDOWN,
    NOTICES,
    SPANS,
    BlockShown,
    Box,
    NoticeShown,
    SpanShown,
    View,
    blocks_shown,
    include_field,
    markdown_shown,
    notices_shown,
    spans_shown,
)
from tasks.handlers.file_or_url import FileOrUrl, LocalFile, open_input
from tasks.handlers.kept_pages import KeptPages
from tasks.handlers.ocr_options import Engine, Language, engines_here, languages, wish_of
from tasks.handlers.pages_work import pages_said, pages_work
from tasks.handlers.searchable import FILES, save_searchable_pdf, searchable_field
from tasks.registry import Readiness, Result, Work, file_field, task_type

MAX_PAGES, MAX_OCR_PAGES = 500, 100
MAX_MARKDOWN = 5_000_000
PDF = "application/pdf"


class PdfExtractInput(FileOrUrl):
    file: UUID | None = file_field(PDF, default=None, title="PDF file")
    pages: str | None = Field(
        default=None,
        title="Pages",
        description="Which pages, like 1-3,5 or 7-; empty: all.",
        max_length=200,
        examples=["1-3,5"],
        json_schema_extra={"pattern": PAGES},
    )
    ocr: Literal["auto", "always", "never"] = Field(
        default="auto",
        title="Read scanned pages (OCR)",
        description="auto: pages that are pictures of text · always: every page · never: only what the file says",
    )
    language: Language = AUTO
    engine: Engine = "auto"
    include: list[View] = include_field()
    searchable: bool = searchable_field()

    @field_validator("pages")
    @classmethod
    def _pages_are_pages(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        parse_pages(value)
        return value


class Page(BaseModel):
    number: int = Field(description="counted from 1")
    text: str = Field(description="in reading order; a row of a table is a line")
    source: Literal["text", "ocr"] = Field(description="from the file's own text, or read from the page's picture")
    width: float = Field(description="in points (1/72 inch)")
    height: float
    confidence: float | None = Field(default=None, description="of OCR, from 0 to 1")
    language: str | None = Field(default=None, description="as a BCP 47 tag, where it is known")
    engine: str | None = Field(default=None, description="that read the page's picture: tesseract or pp-ocr")


class Table(BaseModel):
    page: int
    rows: list[list[str]] = Field(description="cells from left to right; an empty cell is an empty string")
    head: int = Field(default=0, description=HEAD)
    spans: list[SpanShown] = Field(default=[], description=SPANS)
    box: Box | None = Field(default=None, description=BOX)


class PdfExtractResult(Result):
    text: str = Field(description="the text of all pages read")
    pages: list[Page]
    tables: list[Table] = Field(description="ruled tables, with every cell")
    metadata: dict[str, str] = Field(description="title, author, dates and the like, as far as the file tells")
    page_count: int = Field(description="pages of the whole file")
    warnings: list[str] = Field(default=[], description="what could not be read, and why")
    notices: list[NoticeShown] = Field(default=[], description=NOTICES)
    blocks: list[BlockShown] | None = Field(default=None, description=BLOCKS)
    markdown: str | None = Field(default=None, description=MARKDOWN)
    files: list[UUID] = Field(default=[], description=FILES)


def readiness() -> Readiness:
    return Readiness("embedded", f"pdfplumber, pypdfium2, {engines_here()}", languages=languages())


def measure(data: Mapping[str, Any], files: Mapping[str, Path]) -> Work | None:
    """Tell how many pages are to be read, where the file's ends say so, and whether they look like scans."""
    said = pages_said(files.get(str(data.get("file"))))
    if said is None:
        return None
    try:
        count = min(len(choose_pages(data.get("pages") or None, said.count)), MAX_PAGES)
    except ValueError:
        # What stands there for now is another task's result.
        return None
    ocr = data.get("ocr", "auto")
    scans = min(count, MAX_OCR_PAGES) if ocr == "always" or (said.scanned and ocr == "auto") else 0
    return pages_work(count, scans, data.get("engine", "auto"))


EXAMPLE: dict[str, Any] = {"file": "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c001", "pages": "1-3", "ocr": "auto"}


@task_type(
    name="pdf.extract",
    title="Read a PDF",
    description="Text in reading order, every cell of ruled tables, and metadata; scanned pages are read by OCR.",
    queue="documents",
    input=PdfExtractInput,
    result=PdfExtractResult,
    example=EXAMPLE,
    samples=[
        {"file": {"$sample": "report.pdf"}, "include": ["blocks"]},
        {"file": {"$sample": "scan.pdf"}, "include": ["blocks"]},
    ],
    est_seconds=3.0,
    measure=measure,
    readiness=readiness,
    works_with="pypdfium2, pdfplumber, Tesseract, PP-OCR",
    icon="file-text",
)
def extract(ctx: Context, data: PdfExtractInput) -> PdfExtractResult:
    """Read the chosen pages one after the other.

    Raises:
        UnreadableFile: the file is broken, protected by a password, or no PDF.
        UrlRefused, FetchFailed: see `open_input`.
        InputTooLarge: more pages than one task may read.
        GiveUp: none of the chosen pages exists.
    """
    ctx.progress(0.0, "opening the file")
    wish = wish_of(data.language, data.engine)
    with open_input(ctx, data, accept=(PDF,)) as file, _open(ctx, file, wish) as pdf:
        numbers = choose_pages(data.pages, pdf.page_count)
        _check_numbers(numbers, data, pdf.page_count)
        notices = list(pdf.notices)
        pages = _read_pages(ctx, pdf, numbers, data.ocr, notices)
        engine = with_ocr(pdf_engine(), pages)
        document = Document(pages, pdf.page_count, dict(pdf.metadata), notices, engine)
        files = save_searchable_pdf(ctx, file, pages, notices) if data.searchable else []
        return _result(document, data.include, files)


def _open(ctx: Context, file: LocalFile, wish: Wish) -> AbstractContextManager[PdfPages]:
    return open_pages(file.path, check=ctx.check, wish=wish, store=KeptPages(ctx, file.sha256))


def _check_numbers(numbers: list[int], data: PdfExtractInput, page_count: int) -> None:
    if not numbers:
        raise GiveUp(f"The file has {page_count} pages; none of {data.pages} is among them.")
    most = MAX_OCR_PAGES if data.ocr == "always" else MAX_PAGES
    if len(numbers) > most:
        raise InputTooLarge(f"{len(numbers)} pages are to be read; one task reads at most {most}. Choose with `pages`.")


def _read_pages(
    ctx: Context, pdf: PdfPages, numbers: list[int], ocr: OcrChoice, notices: list[Notice]
) -> list[PageRead]:
    pages: list[PageRead] = []
    unread: list[int] = []
    for place, number in enumerate(numbers):
        ctx.check()
        ctx.progress(place / len(numbers), f"reading page {place + 1} of {len(numbers)}")
        may_scan = sum(other.source == "ocr" for other in pages) < MAX_OCR_PAGES
        page = pdf.read(number, use_ocr=ocr if may_scan else "never")
        if not may_scan and not page.text:
            unread.append(number)
        for notice in page.notices:
            ctx.log(notice.text)
        pages.append(page)
    if unread:
        told = f"Only the first {MAX_OCR_PAGES} scanned pages were read by OCR; {len(unread)} others have no text."
        notices.append(Notice("limit", f"{told} Choose them with `pages`, from {unread[0]} on.", len(unread)))
    return pages


def _result(document: Document, include: list[View], files: list[UUID]) -> PdfExtractResult:
    blocks = blocks_shown(document, include)
    markdown = markdown_shown(document, include, most=MAX_MARKDOWN)
    return PdfExtractResult(
        text=document.text,
        pages=[
            Page(
                number=page.number or 1,
                text=page.text,
                source=page.source,
                width=page.width or 0.0,
                height=page.height or 0.0,
                confidence=page.confidence,
                language=page.language,
                engine=page.engine,
            )
            for page in document.pages
        ],
        tables=[
            Table(
                page=page.number or 1,
                rows=block.grid.rows,
                head=block.grid.head,
                spans=spans_shown(block.grid),
                box=block.box,
            )
            for page in document.pages
            for block in page.blocks
            if block.grid is not None
        ],
        metadata=document.metadata,
        page_count=document.page_count or 0,
        warnings=document.warnings(),
        notices=notices_shown(document),
        blocks=blocks,
        markdown=markdown,
        files=files,
        engine=document.engine,
    )
