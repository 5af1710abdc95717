"""pdf.extract: the text, tables and metadata of a PDF; scanned pages through OCR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from tasks.context import Context
from tasks.engines.any_file import pdf_engine
from tasks.engines.page_ranges import PAGES, choose_pages, parse_pages
from tasks.errors import GiveUp, InputTooLarge
from tasks.handlers.file_or_url import FileOrUrl, open_input
from tasks.registry import EngineInfo, Readiness, Result, file_field, task_type

if TYPE_CHECKING:
    from tasks.engines.pdf_pages import PdfPage, PdfPages

MAX_PAGES, MAX_OCR_PAGES = 500, 100
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


class Table(BaseModel):
    page: int
    rows: list[list[str]] = Field(description="cells from left to right; an empty cell is an empty string")


class PdfExtractResult(Result):
    text: str = Field(description="the text of all pages read")
    pages: list[Page]
    tables: list[Table] = Field(description="ruled tables, with every cell")
    metadata: dict[str, str] = Field(description="title, author, dates and the like, as far as the file tells")
    page_count: int = Field(description="pages of the whole file")
    warnings: list[str] = Field(default=[], description="what could not be read, and why")


def readiness() -> Readiness:
    return Readiness("embedded", "pdfplumber, pypdfium2, Tesseract")


EXAMPLE: dict[str, Any] = {"file": "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c001", "pages": "1-3", "ocr": "auto"}


@task_type(
    name="pdf.extract",
    title="Read a PDF",
    description="Text in reading order, every cell of ruled tables, and metadata; scanned pages are read by OCR.",
    queue="documents",
    input=PdfExtractInput,
    result=PdfExtractResult,
    example=EXAMPLE,
    samples=[{"file": {"$sample": "report.pdf"}}, {"file": {"$sample": "scan.pdf"}}],
    est_seconds=3.0,
    readiness=readiness,
    works_with="pypdfium2, pdfplumber, Tesseract",
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
    from tasks.engines.pdf_pages import open_pages

    with open_input(ctx, data, accept=(PDF,)) as file, open_pages(file.path, check=ctx.check) as pdf:
        numbers = choose_pages(data.pages, pdf.page_count)
        _check_numbers(numbers, data, pdf.page_count)
        readings = _read_pages(ctx, pdf, numbers, data.ocr)
        return _result(pdf, readings)


def _check_numbers(numbers: list[int], data: PdfExtractInput, page_count: int) -> None:
    if not numbers:
        raise GiveUp(f"The file has {page_count} pages; none of {data.pages} is among them.")
    most = MAX_OCR_PAGES if data.ocr == "always" else MAX_PAGES
    if len(numbers) > most:
        raise InputTooLarge(f"{len(numbers)} pages are to be read; one task reads at most {most}. Choose with `pages`.")


def _read_pages(
    ctx: Context, pdf: PdfPages, numbers: list[int], ocr: Literal["auto", "always", "never"]
) -> list[PdfPage]:
    readings: list[PdfPage] = []
    for place, number in enumerate(numbers):
        ctx.check()
        ctx.progress(place / len(numbers), f"reading page {place + 1} of {len(numbers)}")
        reading = pdf.read(number, use_ocr=ocr)
        for warning in reading.warnings:
            ctx.log(warning)
        readings.append(reading)
        if sum(other.source == "ocr" for other in readings) > MAX_OCR_PAGES:
            raise InputTooLarge(f"More than {MAX_OCR_PAGES} pages are scanned. Choose fewer with `pages`.")
    return readings


def _result(pdf: PdfPages, readings: list[PdfPage]) -> PdfExtractResult:
    engine = pdf_engine()
    if any(reading.source == "ocr" for reading in readings):
        from tasks.engines import tesseract

        ocr = tesseract.engine()
        engine = EngineInfo(name=f"{engine.name} + {ocr.name}", version=f"{engine.version} + {ocr.version}")
    return PdfExtractResult(
        text="\n\n".join(reading.text for reading in readings if reading.text),
        pages=[
            Page(
                number=reading.number,
                text=reading.text,
                source=reading.source,
                width=reading.width,
                height=reading.height,
                confidence=reading.confidence,
            )
            for reading in readings
        ],
        tables=[Table(page=reading.number, rows=rows) for reading in readings for rows in reading.tables],
        metadata=pdf.metadata,
        page_count=pdf.page_count,
        warnings=[warning for reading in readings for warning in reading.warnings],
        engine=engine,
    )
