"""Tells what a file is by its bytes: the type, whatever its name says."""

from __future__ import annotations

import fnmatch
import mimetypes
import mmap
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePath

import filetype

from tasks.engines.encodings import wide_encoding

HEAD_BYTES = 8192
OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "META-INF/container.xml": "application/epub+zip",
}
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
OLE, OLE_MAGIC = "application/x-ole-storage", bytes.fromhex("d0cf11e0a1b11ae1")
LOCKED_OFFICE = "application/x-ooxml-protected"
# In this order: files of the earlier kinds may hold some of the later.
OLE_STREAMS = {
    "EncryptedPackage": LOCKED_OFFICE,
    "__properties_version1.0": "application/vnd.ms-outlook",
    "Quill": "application/x-mspublisher",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "VisioDocument": "application/vnd.visio",
}
# Printers and mail programs put lines before a PDF; readers look for its mark in the first kilobyte.
PDF_WITHIN, PDF_BEHIND = 1024, re.compile(rb"(?:^|[\r\n\0\x1a])%PDF-[12]\.\d")
# Netpbm's formats begin with their kind, width and height.
PORTABLE = re.compile(rb"P[1-6]\s+(?:#[^\n]{0,200}\n\s*){0,9}\d{1,6}\s+\d{1,6}\s")
# Texts have no magic number; these are told by how they begin, the others by name.
TEXT_BEGINNINGS = (
    ("<?xml", "application/xml"),
    ("<!doctype html", "text/html"),
    ("<html", "text/html"),
    ("<svg", "image/svg+xml"),
    ("{\\rtf", "application/rtf"),
    ("begin:vcalendar", "text/calendar"),
    ("begin:vcard", "text/vcard"),
)
TEXT_NAMES = {
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".html": "text/html",
    ".htm": "text/html",
    ".xml": "application/xml",
    ".eml": "message/rfc822",
}
# One kind, several names: `filetype` and the standard differ.
SAME = {
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/m4a": "audio/mp4",
    "audio/x-aiff": "audio/aiff",
}
# What the standard library's table lacks; it also reads the machine's, which differ.
MORE_NAMES = {
    "application/gzip": {".gz", ".tgz"},
    "application/x-bzip2": {".bz2", ".tbz2"},
    "application/x-xz": {".xz", ".txz"},
    "application/epub+zip": {".epub"},
    "application/rtf": {".rtf"},
    "image/jpeg": {".jpg", ".jpeg"},
    "image/tiff": {".tif", ".tiff"},
    "audio/wav": {".wav"},
    "audio/flac": {".flac"},
    "audio/ogg": {".ogg", ".oga", ".opus"},
    "audio/mp4": {".m4a", ".mp4"},
    "audio/mpeg": {".mp3", ".mpga"},
    "video/mp4": {".mp4", ".m4v", ".m4a"},
    "video/webm": {".webm", ".mkv"},
    "application/msword": {".doc", ".dot"},
    "application/vnd.ms-excel": {".xls", ".xlt"},
    "application/vnd.ms-powerpoint": {".ppt", ".pps", ".pot"},
    "application/vnd.ms-outlook": {".msg"},
    "application/x-mspublisher": {".pub"},
    LOCKED_OFFICE: {".docx", ".xlsx", ".pptx", ".docm", ".xlsm", ".pptm"},
    "image/heic": {".heic", ".heif"},
    "text/markdown": {".md", ".markdown"},
    "image/x-portable-anymap": {".pnm", ".pbm", ".pgm", ".ppm"},
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": {".docx", ".docm"},
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {".xlsx", ".xlsm"},
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": {".pptx", ".pptm"},
    f"{OPEN_DOCUMENT}text": {".odt"},
    f"{OPEN_DOCUMENT}spreadsheet": {".ods"},
    f"{OPEN_DOCUMENT}presentation": {".odp"},
}


def content_type_of(path: Path, name: str = "") -> str:
    """Return the content type that a file's bytes show; kinds of text without a mark are told by `name`."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    found = type_of_head(head, name)
    if found == OLE:
        return _ole_type(path)
    if found == "application/zip" or found in OFFICE.values():
        return _zip_type(path)
    return found


def type_of_head(head: bytes, name: str = "") -> str:
    """Return the content type that a file's first bytes show, as far as they do: many formats are zip files."""
    if head.startswith(OLE_MAGIC):
        return OLE
    kind = filetype.guess(head)
    if kind is None and PORTABLE.match(head):
        return "image/x-portable-anymap"
    if kind is None and PDF_BEHIND.search(head[:PDF_WITHIN]):
        return "application/pdf"
    found = str(kind.mime) if kind else _text_type(head, name)
    return SAME.get(found, found)


def is_taken(content_type: str, accept: Iterable[str]) -> bool:
    """Return whether a content type fits one of the patterns, such as ``image/*``."""
    return any(fnmatch.fnmatch(content_type, pattern) for pattern in accept)


def _ole_type(path: Path) -> str:
    """Tell Microsoft's formats of before 2007, and what is locked, by the names of the streams inside."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for stream, content_type in OLE_STREAMS.items():
            # A name in the directory ends with a NUL.
            if content.find(f"{stream}\0".encode("utf-16-le")) >= 0:
                return content_type
    return OLE


def _zip_type(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            first = archive.infolist()[0] if names else None
            if first is not None and first.filename == "mimetype" and first.file_size < 100:
                said = archive.read(first).decode("ascii", "replace").strip()
                if said.startswith(OPEN_DOCUMENT) or said == "application/epub+zip":
                    return said
            return next((kind for mark, kind in OFFICE.items() if mark in names), "application/zip")
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError):
        # It says that it is one; that it is broken is for its reader to tell.
        return "application/zip"


def _text_type(head: bytes, name: str) -> str:
    text = _decoded(head)
    if text is None:
        return "application/octet-stream"
    beginning = text.lstrip("\ufeff \t\r\n").lower()
    marked = next((kind for mark, kind in TEXT_BEGINNINGS if beginning.startswith(mark)), None)
    if marked == "application/xml" and "<svg" in beginning:
        return "image/svg+xml"
    if marked == "application/xml" and "<html" in beginning:
        return "text/html"
    return marked or TEXT_NAMES.get(PurePath(name).suffix.lower(), "text/plain")


def _decoded(head: bytes) -> str | None:
    """Return the beginning of a text, as far as is needed to tell its kind; None where the bytes are no text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    if wide := wide_encoding(head):
        return head.decode(wide, "replace")
    if b"\0" in head:
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 4:
            # The cut may fall inside a character.
            return head[: error.start].decode("utf-8")
    # Every other encoding has letters at these bytes; control characters are in no text.
    strange = sum(byte < 32 and byte not in b"\t\n\r\f\x1a\x1b" for byte in head)
    return head.decode("cp1252", "replace") if not strange else None


def extensions_of(content_type: str) -> set[str]:
    """Return the usual ends of names for a type, in lower case with the dot; none where any will do.

    >>> ".jpg" in extensions_of("image/jpeg"), extensions_of("text/plain")
    (True, set())
    """
    if content_type in {"text/plain", "application/octet-stream", "application/xml", "application/zip"}:
        # Sources, logs, notes: text has any name. Many formats are zip files.
        return set()
    return set(mimetypes.guess_all_extensions(content_type)) | MORE_NAMES.get(content_type, set())
