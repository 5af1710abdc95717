"""Reads a file of any kind that has text: pages with their text and tables, whatever the format; all contained."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from tasks.engines import contained
from tasks.engines.contained import Check, Tell
from tasks.engines.content_types import OPEN_DOCUMENT
from tasks.registry import EngineInfo

Kind = Literal[
    "pdf", "picture", "document", "spreadsheet", "presentation", "text", "table", "page", "e-mail", "data", "sound",
    "video", "archive", "other",
]  # fmt: skip
OFFICE = "application/vnd.openxmlformats-officedocument."
KINDS: dict[str, Kind] = {
    "application/pdf": "pdf",
    f"{OFFICE}wordprocessingml.document": "document",
    f"{OFFICE}spreadsheetml.sheet": "spreadsheet",
    f"{OFFICE}presentationml.presentation": "presentation",
    f"{OPEN_DOCUMENT}text": "document",
    f"{OPEN_DOCUMENT}spreadsheet": "spreadsheet",
    f"{OPEN_DOCUMENT}presentation": "presentation",
    "image/svg+xml": "data",
    "text/html": "page",
    "text/csv": "table",
    "text/tab-separated-values": "table",
    "message/rfc822": "e-mail",
    "application/json": "data",
    "application/xml": "data",
    "application/ogg": "sound",
    "application/zip": "archive",
    "application/gzip": "archive",
    "application/x-tar": "archive",
    "application/x-bzip2": "archive",
    "application/x-xz": "archive",
}
BY_FAMILY: dict[str, Kind] = {"image": "picture", "text": "text", "audio": "sound", "video": "video"}
WITH_TEXT = {"pdf", "picture", "document", "spreadsheet", "presentation", "text", "table", "page", "e-mail", "data"}
# Office files are read by our own code.
OWN = EngineInfo(name="portal", version="1")


@dataclass(frozen=True)
class PageText:
    """A page, slide or sheet, counted from 1; a file without pages is one of number None."""

    number: int | None
    text: str
    tables: list[list[list[str]]] = field(default_factory=list)
    scanned: bool = False


@dataclass
class FileText:
    """What was read of a file. `page_count` counts all pages, also those that were not read."""

    pages: list[PageText] = field(default_factory=list)
    page_count: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    engine: EngineInfo = field(default_factory=lambda: OWN)

    @property
    def text(self) -> str:
        return "\n\n".join(page.text for page in self.pages if page.text)


def kind_of(content_type: str) -> Kind:
    """Return what people call a file of this content type."""
    return KINDS.get(content_type) or BY_FAMILY.get(content_type.partition("/")[0], "other")


def read_text(path: Path, content_type: str, *, most_pages: int, most_scans: int, check: Check, tell: Tell) -> FileText:
    """Read a file's text. `check` is called meanwhile and may raise.

    Args:
        most_pages, most_scans: pages of a PDF that are read, and those of them by OCR; a warning names the rest.

    Raises:
        UnreadableFile, InputTooLarge: broken, protected, or too large.
        EngineError: OCR failed.
    """
    kind = kind_of(content_type)
    if kind == "pdf":
        return _read_pdf(path, most_pages, most_scans, check, tell)
    if kind == "picture":
        return _read_picture(path, check, tell)
    if content_type.startswith((OFFICE, OPEN_DOCUMENT)):
        shape = "open" if content_type.startswith(OPEN_DOCUMENT) else kind
        read = contained.call("office_text:read_office", path=str(path), kind=shape, check=check)
        paged = len(read["pages"]) > 1 or kind in {"spreadsheet", "presentation"}
        pages = [
            PageText(number if paged else None, page["text"], page["tables"])
            for number, page in enumerate(read["pages"], start=1)
        ]
        return FileText(pages, len(pages) if paged else None, read["metadata"])
    read = contained.call("plain_texts:read_plain", path=str(path), content_type=content_type, check=check)
    return FileText([PageText(None, read["text"], read["tables"])], None, read["metadata"])


def _read_pdf(path: Path, most_pages: int, most_scans: int, check: Check, tell: Tell) -> FileText:
    from tasks.engines.pdf_pages import open_pages

    result, scans = FileText(engine=pdf_engine()), 0
    with open_pages(path, check=check) as pdf:
        result.page_count, result.metadata = pdf.page_count, dict(pdf.metadata)
        last = min(pdf.page_count, most_pages)
        for number in range(1, last + 1):
            check()
            tell((number - 1) / last, f"reading page {number} of {last}")
            page = pdf.read(number, use_ocr="auto" if scans < most_scans else "never")
            scans += page.source == "ocr"
            result.pages.append(PageText(number, page.text, page.tables, page.source == "ocr"))
            result.warnings += page.warnings
    if last < result.page_count:
        result.warnings.append(f"Only the first {last} of {result.page_count} pages were read.")
    if scans >= most_scans:
        result.warnings.append(f"Only the first {most_scans} scanned pages were read by OCR.")
    if scans:
        result.engine = _joined(result.engine, _ocr_engine())
    return result


def _read_picture(path: Path, check: Check, tell: Tell) -> FileText:
    seen = contained.call("picture_contained:read_text", path=str(path), check=check, tell=tell)
    facts = {name: seen[name] for name in ("format", "width", "height", "frames")}
    page = PageText(None, seen["text"], scanned=True)
    return FileText([page], None, facts | seen["exif"], engine=_ocr_engine())


def pdf_engine() -> EngineInfo:
    """Return the names and versions of the libraries that read PDFs."""
    return EngineInfo(name="pypdfium2 + pdfplumber", version=f"{version('pypdfium2')} + {version('pdfplumber')}")


def _ocr_engine() -> EngineInfo:
    from tasks.engines import tesseract

    return tesseract.engine()


def _joined(one: EngineInfo, other: EngineInfo) -> EngineInfo:
    return EngineInfo(name=f"{one.name} + {other.name}", version=f"{one.version} + {other.version}")
