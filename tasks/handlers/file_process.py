"""file.process: what a file of any kind is and holds: type by content, checksum, text, tables, thumbnail, metadata."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from tasks.context import Context
from tasks.engines.any_file import NOT_READ, WITH_TEXT, kind_of, read_document
from tasks.engines.content_types import content_type_of, extensions_of
from tasks.engines.document import Document, Notice
from tasks.engines.ocr_wish import AUTO, Wish
from tasks.errors import InputTooLarge, QuotaExceeded, UnreadableFile
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
    PageFacts,
    SpanShown,
    View,
    blocks_shown,
    facts_of_pages,
    include_field,
    markdown_shown,
    notices_shown,
    spans_shown,
)
from tasks.handlers.file_or_url import FileOrUrl, LocalFile, open_input
from tasks.handlers.kept_pages import KeptPages
from tasks.handlers.ocr_options import Engine, Language, engines_here, languages, wish_of
from tasks.handlers.pages_work import pages_said, pages_work
from tasks.names import made_of
from tasks.registry import EngineInfo, Readiness, Result, Work, file_field, task_type

MAX_PAGES, MAX_OCR_PAGES = 200, 30
MAX_TEXT_CHARACTERS, MAX_TABLE_CELLS, MAX_TABLE_CHARACTERS = 5_000_000, 200_000, 3_000_000


class FileProcessInput(FileOrUrl):
    file: UUID | None = file_field(default=None, title="File")
    thumbnail: bool = Field(
        default=True, title="Thumbnail", description="Store a small picture of it, where it has one."
    )
    language: Language = AUTO
    engine: Engine = "auto"
    include: list[View] = include_field()


class FileTable(BaseModel):
    page: int | None = Field(description="counted from 1; null for files without pages")
    rows: list[list[str]]
    head: int = Field(default=0, description=HEAD)
    spans: list[SpanShown] = Field(default=[], description=SPANS)
    box: Box | None = Field(default=None, description=BOX)


class Entry(BaseModel):
    name: str
    size: int | None = Field(description="in bytes, unpacked; null where the file does not tell")


class Archive(BaseModel):
    entries: list[Entry] = Field(description="the first 1,000")
    entry_count: int
    unpacked_size: int | None = Field(description="in bytes; null when it is more than is looked at")
    suspicious: bool = Field(description="unpacks to so much more than it is that it may be made to fill disks")
    encrypted: bool


class FileProcessResult(Result):
    name: str
    file_type: str = Field(description="content type by the file's bytes, whatever its name says")
    kind: str = Field(description="pdf, picture, document, spreadsheet, presentation, text, table, page, … other")
    size: int = Field(description="in bytes")
    sha256: str
    text: str = Field(description="empty where there is none")
    page_count: int | None = Field(description="pages, slides or sheets; null for files without")
    tables: list[FileTable]
    metadata: dict[str, Any] = Field(description="title, author, dates, size in pixels, duration, as far as it tells")
    archive: Archive | None = None
    thumbnail: UUID | None = Field(default=None, description="a PNG of at most 320 × 320 pixels")
    files: list[UUID] = Field(default=[], description="the thumbnail, where there is one")
    warnings: list[str] = Field(default=[], description="what could not be read, and why")
    notices: list[NoticeShown] = Field(default=[], description=NOTICES)
    pages: list[PageFacts] = Field(default=[], description="how each page was read; its text is in text")
    blocks: list[BlockShown] | None = Field(default=None, description=BLOCKS)
    markdown: str | None = Field(default=None, description=MARKDOWN)


def readiness() -> Readiness:
    return Readiness("embedded", f"PDFium, {engines_here()}, Pillow, FFmpeg", languages=languages())


# Text has any name, and many formats are zip files; but not these.
PROMISES = {
    ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".heic", ".bmp", ".mp3", ".wav", ".ogg",
    ".flac", ".m4a", ".mp4", ".docx", ".xlsx", ".pptx", ".doc", ".xls", ".ppt", ".odt", ".ods", ".odp",
}  # fmt: skip


def measure(data: Mapping[str, Any], files: Mapping[str, Path]) -> Work | None:
    """Tell how many pages of a PDF are to be read; of other files their size tells enough."""
    said = pages_said(files.get(str(data.get("file"))))
    if said is None:
        return None
    count = min(said.count, MAX_PAGES)
    return pages_work(count, min(count, MAX_OCR_PAGES) if said.scanned else 0, data.get("engine", "auto"))


EXAMPLE: dict[str, Any] = {"file": "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c005"}


@task_type(
    name="file.process",
    title="Look into a file",
    description="Finds out what a file is, and takes out its text, tables, metadata and a thumbnail.",
    queue="documents",
    input=FileProcessInput,
    result=FileProcessResult,
    example=EXAMPLE,
    samples=[{"file": {"$sample": "budget.xlsx"}}],
    est_seconds=2.0,
    measure=measure,
    readiness=readiness,
    works_with="pypdfium2, Pillow, filetype",
    icon="file",
)
def process(ctx: Context, data: FileProcessInput) -> FileProcessResult:
    """Tell the file's type and read it as its type asks for.

    Raises:
        UnreadableFile: it is broken, cut off, or protected by a password.
        InputTooLarge: it is larger than is read here, or unpacks to too much.
    """
    with open_input(ctx, data) as file:
        ctx.progress(0.05, "telling the type")
        file_type = content_type_of(file.path, file.name)
        read, archive = _read(ctx, file, file_type, wish_of(data.language, data.engine))
        _check_name(file.name, file_type, read.notices)
        thumbnail = _thumbnail(ctx, file, file_type, read.notices) if data.thumbnail else None
        text, tables = _cut_text(read), _tables(read)
        views = {
            "blocks": blocks_shown(read, data.include),
            "markdown": markdown_shown(read, data.include, most=MAX_TEXT_CHARACTERS),
        }
        warnings = read.warnings()
        for warning in warnings:
            ctx.log(warning)
        return FileProcessResult(
            name=file.name,
            file_type=file_type,
            kind=kind_of(file_type),
            size=file.size,
            sha256=file.sha256,
            text=text,
            page_count=read.page_count,
            tables=tables,
            metadata=read.metadata,
            archive=archive,
            thumbnail=thumbnail,
            files=[thumbnail] if thumbnail else [],
            warnings=warnings,
            notices=notices_shown(read),
            pages=facts_of_pages(read),
            engine=read.engine,
            **views,
        )


def _read(ctx: Context, file: LocalFile, file_type: str, wish: Wish) -> tuple[Document, Archive | None]:
    kind = kind_of(file_type)
    if file_type in NOT_READ:
        return Document(notices=[Notice("left out", f"Its text is not read. This is {NOT_READ[file_type]}.")]), None
    if kind in WITH_TEXT:
        read = read_document(
            file.path,
            file_type,
            most_pages=MAX_PAGES,
            most_scans=MAX_OCR_PAGES,
            wish=wish,
            check=ctx.check,
            tell=ctx.progress,
            store=KeptPages(ctx, file.sha256),
        )
        return read, None
    from tasks.engines import contained

    if kind == "archive":
        listed = contained.call(
            "archive_listing:list_archive", path=str(file.path), content_type=file_type, name=file.name, check=ctx.check
        )
        return Document(notices=[Notice(**notice) for notice in listed.pop("notices", [])]), Archive(**listed)
    if kind in {"sound", "video"}:
        told = contained.call("audio_contained:probe", path=str(file.path), check=ctx.check)
        warning = "Speech is not written down here: submit the file as speech.transcribe."
        notices = [Notice("left out", warning)]
        return Document(metadata=told["tags"] | told["facts"], notices=notices, engine=_ffmpeg()), None
    return Document(notices=[Notice("left out", f"Files of type {file_type} are not looked into.")]), None


def _ffmpeg() -> EngineInfo:
    from importlib.metadata import version

    return EngineInfo(name="av (FFmpeg)", version=version("av"))


def _check_name(name: str, file_type: str, notices: list[Notice]) -> None:
    said = PurePath(name).suffix.lower()
    usual = extensions_of(file_type)
    if said and ((usual and said not in usual) or (not usual and _is_promise(said, file_type))):
        notices.append(Notice("name", f"The name ends in {said}, but the content is {file_type}."))


def _is_promise(end: str, file_type: str) -> bool:
    """Return whether an end of names says more than that the content is some text, or some zip file."""
    return file_type in {"text/plain", "application/zip"} and end in PROMISES


def _cut_text(read: Document) -> str:
    text = read.text
    if (over := len(text) - MAX_TEXT_CHARACTERS) > 0:
        told = f"Only the first {MAX_TEXT_CHARACTERS:,} of {len(text):,} characters are in the result."
        read.notices.append(Notice("limit", told, over))
    return text[:MAX_TEXT_CHARACTERS]


def _tables(read: Document) -> list[FileTable]:
    tables, left, room = [], MAX_TABLE_CELLS, MAX_TABLE_CHARACTERS
    for page in read.pages:
        for block in (block for block in page.blocks if block.grid):
            assert block.grid is not None
            kept = []
            for row in block.grid.rows:
                left, room = left - len(row), room - sum(map(len, row))
                if min(left, room) < 0:
                    break
                kept.append(row)
            spans = spans_shown(block.grid, rows=len(kept))
            shown = FileTable(page=page.number, rows=kept, head=block.grid.head, spans=spans, box=block.box)
            tables += [shown] if kept else []
    if left < 0:
        told = f"Only the first {MAX_TABLE_CELLS:,} cells of tables are in the result."
        read.notices.append(Notice("limit", told, -left))
    elif room < 0:
        told = f"Only the first {MAX_TABLE_CHARACTERS:,} characters of tables are in the result."
        read.notices.append(Notice("limit", told, -room))
    return tables


def _thumbnail(ctx: Context, file: LocalFile, file_type: str, notices: list[Notice]) -> UUID | None:
    makers = {"pdf": "pdf_contained:make_thumbnail", "picture": "picture_contained:make_thumbnail"}
    maker = makers.get(kind_of(file_type))
    if maker is None:
        return None
    from tasks.engines import contained

    ctx.progress(0.95, "making the thumbnail")
    with tempfile.TemporaryDirectory(prefix="portal-thumbnail-") as folder:
        into = Path(folder) / "thumbnail.png"
        try:
            contained.call(maker, path=str(file.path), into=str(into), check=ctx.check)
            return ctx.save(made_of(file.name, "-thumbnail.png"), into.read_bytes(), "image/png").id
        except (UnreadableFile, InputTooLarge, QuotaExceeded) as error:
            notices.append(Notice("left out", f"There is no thumbnail. {error.message}"))
            return None
