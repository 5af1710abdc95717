"""Reads a stored file of any kind that has text (PDF, text, Markdown, picture) into sources for questions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tasks.context import FileInfo
from tasks.engines.passages import Source, title_of
from tasks.engines.plain_texts import decode
from tasks.errors import InputTooLarge

MAX_TEXT_BYTES = 20_000_000
MAX_REMEMBERED, MAX_REMEMBERED_CHARACTERS = 32, 500_000
PDF = "application/pdf"
TEXTS = ("text/", "application/json", "application/xml")


@dataclass
class Budget:
    """How much may still be read: pages of PDFs, and pages and pictures that take OCR."""

    pages: int = 2000
    scans: int = 60


@dataclass
class Reading:
    """The sources of one file, and what was left out of it and why."""

    sources: list[Source] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


# What this process read lately, by the sum of the bytes: a person asks the same files several questions.
_read_before: OrderedDict[str, Reading] = OrderedDict()


def has_text(info: FileInfo) -> bool:
    """Return whether a file is of a kind that is read here."""
    return info.content_type == PDF or info.content_type.startswith((*TEXTS, "image/"))


def read_document(info: FileInfo, path: Path, budget: Budget, *, check: Callable[[], None]) -> Reading:
    """Read one file as far as the budget goes; `check` is called meanwhile and may raise.

    Raises:
        UnreadableFile, InputTooLarge: the file is broken or too large.
    """
    known = _read_before.get(info.sha256)
    reading = known or _read(info, path, budget, check)
    if not known and not reading.skipped:
        _remember(info.sha256, reading)
    named = [replace(source, file=info.id, file_name=info.name) for source in reading.sources]
    return Reading(named, reading.skipped)


def _remember(sha256: str, reading: Reading) -> None:
    if sum(len(source.text) for source in reading.sources) <= MAX_REMEMBERED_CHARACTERS:
        _read_before[sha256] = reading
    while len(_read_before) > MAX_REMEMBERED:
        _read_before.popitem(last=False)


def _read(info: FileInfo, path: Path, budget: Budget, check: Callable[[], None]) -> Reading:
    if info.content_type == PDF:
        return _read_pdf(info, path, budget, check)
    if info.content_type.startswith("image/"):
        return _read_picture(info, path, budget, check)
    if info.size > MAX_TEXT_BYTES:
        raise InputTooLarge(f"It is a text of more than {MAX_TEXT_BYTES // 1_000_000} MB.")
    text = decode(path.read_bytes())
    return Reading([Source(text, title_of(text))])


def _read_pdf(info: FileInfo, path: Path, budget: Budget, check: Callable[[], None]) -> Reading:
    from tasks.engines.pdf_pages import open_pages

    result, title = Reading(), ""
    with open_pages(path, check=check) as pdf:
        for number in range(1, pdf.page_count + 1):
            check()
            if budget.pages <= 0:
                result.skipped.append(f"{info.name}: pages from {number} on, because too many pages were asked.")
                break
            budget.pages -= 1
            page = pdf.read(number, use_ocr="auto" if budget.scans > 0 else "never")
            budget.scans -= page.source == "ocr"
            title = title or title_of(page.prose)
            rows = tuple(row for table in page.tables for row in describe_rows(table))
            result.sources.append(Source(page.prose, title, page=number, rows=rows))
    return result


def _read_picture(info: FileInfo, path: Path, budget: Budget, check: Callable[[], None]) -> Reading:
    from tasks.engines import contained

    if budget.scans <= 0:
        return Reading(skipped=[f"{info.name}: too many pictures to read their text."])
    budget.scans -= 1
    seen = contained.call("picture_contained:read_text", path=str(path), check=check)
    return Reading([Source(seen["text"])])


def describe_rows(rows: list[list[str]]) -> list[str]:
    """Return each row of a table as a sentence that names its columns.

    >>> describe_rows([["Region", "Q1", "Q2"], ["North", "1,204", ""]])
    ['Region: North; Q1: 1,204']
    """
    if len(rows) < 2:
        return ["; ".join(cell for cell in row if cell) for row in rows if any(row)]
    head, *body = rows
    if not any(head[1:]):
        return ["; ".join(cell for cell in row if cell) for row in rows if any(row)]
    return [
        "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(head, row, strict=False) if cell)
        for row in body
        if any(row)
    ]
