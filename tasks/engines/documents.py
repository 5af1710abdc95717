"""Reads stored files, of whatever kind, into sources for questions; what was read lately is remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tasks.context import FileInfo
from tasks.engines.any_file import WITH_TEXT, kind_of, read_document
from tasks.engines.content_types import content_type_of
from tasks.engines.passages import Source
from tasks.engines.source_pieces import sources_of

MAX_REMEMBERED, MAX_REMEMBERED_CHARACTERS = 32, 500_000


@dataclass
class Budget:
    """How much may still be read: pages of PDFs, and pages and pictures that take OCR."""

    pages: int = 2000
    scans: int = 60


@dataclass
class Reading:
    """The sources of one file, what was left out of it and why, and what else is to be said of it."""

    sources: list[Source] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


# What this process read lately, by the sum of the bytes: a person asks the same files several questions.
_read_before: OrderedDict[str, Reading] = OrderedDict()


def text_type_of(info: FileInfo, path: Path) -> str | None:
    """Return the content type of a file that may have text, else None.

    It is told anew from the whole file: an upload shows only its beginning, where office files are just zip files.
    """
    content_type = content_type_of(path, info.name)
    return content_type if kind_of(content_type) in WITH_TEXT else None


def read_sources(
    info: FileInfo, path: Path, content_type: str, budget: Budget, *, check: Callable[[], None]
) -> Reading:
    """Read one file as far as the budget goes; `check` is called meanwhile and may raise.

    Raises:
        UnreadableFile, InputTooLarge: the file is broken or too large.
    """
    known = _read_before.get(info.sha256)
    reading = known or _read(info, path, content_type, budget, check)
    if not known and not reading.skipped:
        _remember(info.sha256, reading)
    named = [replace(source, file=info.id, file_name=info.name) for source in reading.sources]
    return Reading(named, reading.skipped, [f"{info.name}: {warning}" for warning in reading.warnings])


def _remember(sha256: str, reading: Reading) -> None:
    length = sum(source.length for source in reading.sources)
    if length <= MAX_REMEMBERED_CHARACTERS:
        _read_before[sha256] = reading
    while len(_read_before) > MAX_REMEMBERED:
        _read_before.popitem(last=False)


def _read(info: FileInfo, path: Path, content_type: str, budget: Budget, check: Callable[[], None]) -> Reading:
    kind = kind_of(content_type)
    if kind == "picture" and budget.scans <= 0:
        return Reading(skipped=[f"{info.name}: too many pictures to read their text."])
    if kind == "pdf" and budget.pages <= 0:
        return Reading(skipped=[f"{info.name}: pages from 1 on, because too many pages were asked."])
    document = read_document(
        path, content_type, most_pages=max(budget.pages, 1), most_scans=max(budget.scans, 0), check=check
    )
    budget.pages -= len(document.pages) if kind == "pdf" else 0
    budget.scans -= sum(page.source == "ocr" for page in document.pages)
    skipped = [f"{info.name}: {notice.text}" for notice in document.all_notices() if notice.kind == "limit"]
    warnings = [notice.text for notice in document.all_notices() if notice.kind != "limit"]
    return Reading(sources_of(document), skipped, warnings)
