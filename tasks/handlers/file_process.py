"""file.process: what a file of any kind is and holds: type by content, checksum, text, tables, thumbnail, metadata."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from tasks.context import Context
from tasks.engines.any_file import WITH_TEXT, FileText, kind_of, read_text
from tasks.engines.content_types import content_type_of, extensions_of
from tasks.errors import InputTooLarge, QuotaExceeded, UnreadableFile
from tasks.handlers.file_or_url import FileOrUrl, LocalFile, open_input
from tasks.registry import EngineInfo, Readiness, Result, file_field, task_type

MAX_PAGES, MAX_OCR_PAGES = 200, 30
MAX_TEXT_CHARACTERS, MAX_TABLE_CELLS = 5_000_000, 200_000


class FileProcessInput(FileOrUrl):
    file: UUID | None = file_field(default=None, title="File")
    thumbnail: bool = Field(
        default=True, title="Thumbnail", description="Store a small picture of it, where it has one."
    )


class FileTable(BaseModel):
    page: int | None = Field(description="counted from 1; null for files without pages")
    rows: list[list[str]]


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


def readiness() -> Readiness:
    return Readiness("embedded", "PDFium, Tesseract, Pillow, FFmpeg")


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
        read, archive = _read(ctx, file, file_type)
        _check_name(file.name, file_type, read.warnings)
        thumbnail = _thumbnail(ctx, file, file_type, read.warnings) if data.thumbnail else None
        for warning in read.warnings:
            ctx.log(warning)
        return FileProcessResult(
            name=file.name,
            file_type=file_type,
            kind=kind_of(file_type),
            size=file.size,
            sha256=file.sha256,
            text=_cut_text(read),
            page_count=read.page_count,
            tables=_tables(read),
            metadata=read.metadata,
            archive=archive,
            thumbnail=thumbnail,
            files=[thumbnail] if thumbnail else [],
            warnings=read.warnings,
            engine=read.engine,
        )


def _read(ctx: Context, file: LocalFile, file_type: str) -> tuple[FileText, Archive | None]:
    kind = kind_of(file_type)
    if kind in WITH_TEXT:
        pages = {"most_pages": MAX_PAGES, "most_scans": MAX_OCR_PAGES}
        return read_text(file.path, file_type, check=ctx.check, tell=ctx.progress, **pages), None
    from tasks.engines import contained

    if kind == "archive":
        listed = contained.call(
            "archive_listing:list_archive", path=str(file.path), content_type=file_type, name=file.name, check=ctx.check
        )
        return FileText(), Archive(**listed)
    if kind in {"sound", "video"}:
        told = contained.call("audio_contained:probe", path=str(file.path), check=ctx.check)
        warning = "Speech is not written down here: submit the file as speech.transcribe."
        return FileText(metadata=told["tags"] | told["facts"], warnings=[warning], engine=_ffmpeg()), None
    return FileText(warnings=[f"Files of type {file_type} are not looked into."]), None


def _ffmpeg() -> EngineInfo:
    from importlib.metadata import version

    return EngineInfo(name="av (FFmpeg)", version=version("av"))


def _check_name(name: str, file_type: str, warnings: list[str]) -> None:
    said = PurePath(name).suffix.lower()
    usual = extensions_of(file_type)
    if said and usual and said not in usual:
        warnings.append(f"The name ends in {said}, but the content is {file_type}.")


def _cut_text(read: FileText) -> str:
    text = read.text
    if len(text) > MAX_TEXT_CHARACTERS:
        read.warnings.append(f"Only the first {MAX_TEXT_CHARACTERS:,} of {len(text):,} characters are in the result.")
    return text[:MAX_TEXT_CHARACTERS]


def _tables(read: FileText) -> list[FileTable]:
    tables, left = [], MAX_TABLE_CELLS
    for page in read.pages:
        for rows in page.tables:
            kept = []
            for row in rows:
                left -= len(row)
                if left < 0:
                    break
                kept.append(row)
            tables += [FileTable(page=page.number, rows=kept)] if kept else []
    if left < 0:
        read.warnings.append(f"Only the first {MAX_TABLE_CELLS:,} cells of tables are in the result.")
    return tables


def _thumbnail(ctx: Context, file: LocalFile, file_type: str, warnings: list[str]) -> UUID | None:
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
            stem = PurePath(file.name).stem or "file"
            return ctx.save(f"{stem}-thumbnail.png", into.read_bytes(), "image/png").id
        except (UnreadableFile, InputTooLarge, QuotaExceeded) as error:
            warnings.append(f"There is no thumbnail. {error.message}")
            return None
