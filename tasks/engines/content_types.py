"""Tells what a file is by its bytes: the type, whatever its name says."""

from __future__ import annotations

import fnmatch
import mimetypes
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePath

import filetype

HEAD_BYTES = 8192
OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "META-INF/container.xml": "application/epub+zip",
}
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
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
    "text/markdown": {".md", ".markdown"},
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
    kind = filetype.guess(head)
    found = str(kind.mime) if kind else _text_type(head, name)
    if found == "application/zip" or found in OFFICE.values():
        return _zip_type(path)
    return SAME.get(found, found)


def is_taken(content_type: str, accept: Iterable[str]) -> bool:
    """Return whether a content type fits one of the patterns, such as ``image/*``."""
    return any(fnmatch.fnmatch(content_type, pattern) for pattern in accept)


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
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    if b"\0" in head:
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 4:
            # The cut may fall inside a character.
            return head[: error.start].decode("utf-8")
    # Windows' western encoding has these bytes for letters; control characters are in no text.
    strange = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
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
