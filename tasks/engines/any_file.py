"""Reads a file of any kind that has text into the one model of documents, whatever the format; all contained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from tasks.engines import contained
from tasks.engines.contained import Check, Tell, no_check, no_tell
from tasks.engines.content_types import LOCKED_OFFICE, OPEN_DOCUMENT
from tasks.engines.document import Document, Notice, Page, document_of, page_of
from tasks.engines.ocr_wish import ANYTHING, Wish
from tasks.engines.pdf_pages import PageStore, open_pages
from tasks.errors import InputTooLarge, UnreadableFile
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
    LOCKED_OFFICE: "document",
    "application/msword": "document",
    "application/vnd.ms-excel": "spreadsheet",
    "application/vnd.ms-powerpoint": "presentation",
    "application/vnd.ms-outlook": "e-mail",
    "application/x-mspublisher": "document",
    "application/vnd.visio": "document",
    "application/rtf": "document",
    "application/epub+zip": "document",
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
# What types that read texts take, as an upload shows it: office files are zip files, e-mails may be plain text.
ACCEPT = (
    "application/pdf", "text/*", "image/*", "message/rfc822", "application/json", "application/xml", "application/zip",
    "application/vnd.openxmlformats-officedocument.*", "application/vnd.oasis.opendocument.*",
    # To be told what they are: locked, or of before 2007.
    "application/x-ole-storage", "application/x-ooxml-protected",
)  # fmt: skip
# Microsoft's formats that are not read, with what to do about it.
NOT_READ = {
    "application/msword": "a Word file of before 2007 (.doc): save it as .docx",
    "application/vnd.ms-excel": "an Excel file of before 2007 (.xls): save it as .xlsx",
    "application/vnd.ms-powerpoint": "a PowerPoint file of before 2007 (.ppt): save it as .pptx",
    "application/vnd.ms-outlook": "an Outlook message (.msg): save it as .eml",
    "application/x-mspublisher": "a Publisher file (.pub): save it as PDF",
    "application/vnd.visio": "a Visio file (.vsd): save it as PDF",
    "application/rtf": "a file in Rich Text Format (.rtf): save it as .docx",
    "application/epub+zip": "an e-book (EPUB): save it as PDF",
}
# Pictures whose frames are pages, not moments.
PAGED = {"tiff"}
WITH_TEXT = {"pdf", "picture", "document", "spreadsheet", "presentation", "text", "table", "page", "e-mail", "data"}


def kind_of(content_type: str) -> Kind:
    """Return what people call a file of this content type."""
    return KINDS.get(content_type) or BY_FAMILY.get(content_type.partition("/")[0], "other")


def read_document(
    path: Path,
    content_type: str,
    *,
    most_pages: int,
    most_scans: int,
    wish: Wish = ANYTHING,
    check: Check = no_check,
    tell: Tell = no_tell,
    store: PageStore | None = None,
) -> Document:
    """Read a file. `check` is called meanwhile and may raise.

    Args:
        most_pages, most_scans: pages of a PDF that are read, and those of them by OCR; a notice names the rest.
        wish: how scans and pictures are to be read.
        store: where pages are that were read before.

    Raises:
        UnreadableFile, InputTooLarge: broken, protected, of a kind that is not read, or too large.
        EngineError: OCR failed.
    """
    document = _read(path, content_type, most_pages, most_scans, wish, check, tell, store)
    if not document.text and not any(document.all_notices()):
        document.notices.append(Notice("no text", "There is no text in the file."))
    return document


def _read(
    path: Path,
    content_type: str,
    most_pages: int,
    most_scans: int,
    wish: Wish,
    check: Check,
    tell: Tell,
    store: PageStore | None,
) -> Document:
    kind = kind_of(content_type)
    if content_type == LOCKED_OFFICE:
        raise UnreadableFile("The file is protected by a password.")
    if content_type in NOT_READ:
        raise UnreadableFile(f"This is {NOT_READ[content_type]}.")
    if kind == "pdf":
        return _read_pdf(path, most_pages, most_scans, wish, check, tell, store)
    if kind == "picture":
        return _read_picture(path, max(most_scans, 1), wish, check, tell)
    if content_type.startswith((OFFICE, OPEN_DOCUMENT)):
        shape = "open" if content_type.startswith(OPEN_DOCUMENT) else kind
        return document_of(contained.call("office_text:read_office", path=str(path), kind=shape, check=check))
    return document_of(contained.call("plain_texts:read_plain", path=str(path), content_type=content_type, check=check))


def _read_pdf(
    path: Path, most_pages: int, most_scans: int, wish: Wish, check: Check, tell: Tell, store: PageStore | None
) -> Document:
    result, scans, unread = Document(engine=pdf_engine()), 0, 0
    with open_pages(path, check=check, wish=wish, store=store) as pdf:
        result.page_count, result.metadata, result.notices = pdf.page_count, dict(pdf.metadata), list(pdf.notices)
        last = min(pdf.page_count, most_pages)
        for number in range(1, last + 1):
            check()
            tell((number - 1) / last, f"reading page {number} of {last}")
            may_scan = scans < most_scans
            page = pdf.read(number, use_ocr="auto" if may_scan else "never")
            scans += page.source == "ocr"
            # A page with text of its own needs none; its notice says what beside the text was not read.
            unread += not may_scan and not page.text
            result.pages.append(page)
    if last < pdf.page_count:
        text = f"Only the first {last} of {pdf.page_count} pages were read."
        result.notices.append(Notice("limit", text, pdf.page_count - last))
    if unread:
        told = f"Only the first {most_scans} scanned pages were read by OCR; {unread} others have no text."
        result.notices.append(Notice("limit", told, unread))
    result.engine = with_ocr(result.engine, result.pages)
    return result


def _read_picture(path: Path, most_scans: int, wish: Wish, check: Check, tell: Tell) -> Document:
    def read(frame: int, tell: Tell = no_tell) -> Any:
        return contained.call(
            "picture_contained:read_text", path=str(path), frame=frame, wish=wish.to_plain(), check=check, tell=tell
        )

    first = read(0, tell)
    count = first["frames"]
    facts = {name: first[name] for name in ("format", "width", "height", "frames")}
    document = Document([page_of(first["page"])], None, facts | first["exif"], engine=EngineInfo(**first["engine"]))
    if count > 1 and first["format"] not in PAGED:
        told = f"Only the first of {count:,} pictures in the file was read: it is an animation."
        document.notices.append(Notice("left out", told, count - 1))
    elif count > 1:
        _read_frames(document, read, count, most_scans, tell)
    return document


def _read_frames(document: Document, read: Callable[[int], Any], count: int, most: int, tell: Tell) -> None:
    """Read the other pages of a fax or scan. One that is broken is empty, and its notice says why."""
    document.page_count, document.pages[0].number = count, 1
    for number in range(2, min(count, most) + 1):
        tell((number - 1) / min(count, most), f"reading page {number} of {count}")
        try:
            page = page_of(read(number - 1)["page"])
        except (UnreadableFile, InputTooLarge) as error:
            page = Page(None, notices=[Notice("unreadable", f"Page {number}: {error.message}", page=number)])
        page.number = number
        document.pages.append(page)
    if count > most:
        told = f"Only the first {most} of {count:,} pages were read."
        document.notices.append(Notice("limit", told, count - most))


def pdf_engine() -> EngineInfo:
    """Return the names and versions of the libraries that read PDFs."""
    return EngineInfo(name="pypdfium2 + pdfplumber", version=f"{version('pypdfium2')} + {version('pdfplumber')}")


def with_ocr(engine: EngineInfo, pages: Sequence[Page]) -> EngineInfo:
    """Return the engine joined with those that read the scans among the pages."""
    from tasks.engines import ocr

    for name in sorted({page.engine for page in pages if page.engine}):
        engine = _joined(engine, ocr.engine_named(name))
    return engine


def _joined(one: EngineInfo, other: EngineInfo) -> EngineInfo:
    return EngineInfo(
        name=f"{one.name} + {other.name}", version=f"{one.version} + {other.version}", sha256=one.sha256 or other.sha256
    )
