"""Reads Word, PowerPoint, Excel and OpenDocument files: their parts into one document, slides and sheets as pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tasks.engines.contained import Tell
from tasks.engines.document import Block, Document, Notice, Page, to_plain
from tasks.engines.encodings import declared_in, decode
from tasks.engines.html_blocks import read_html
from tasks.engines.office_body import BodyReader, StyleReader
from tasks.engines.office_extras import charts_and_diagrams_of, comments_of, margins_of, not_read, texts_in
from tasks.engines.office_relations import relations_of
from tasks.engines.sheets import read_sheets
from tasks.engines.xml_events import XmlReader
from tasks.engines.zip_members import ZipMembers, open_zip
from tasks.errors import UnreadableFile

PROPERTIES = {
    "title", "creator", "subject", "description", "keywords", "created", "modified", "lastModifiedBy", "language",
    "initial-creator", "creation-date", "date",
}  # fmt: skip
MAX_CHUNKS = 50


class _Properties(XmlReader):
    """Collects title, author, dates and the like."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._name = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._name = name

    def end(self, name: str) -> None:
        self._name = ""

    def text(self, text: str) -> None:
        if self._name in PROPERTIES and text.strip():
            self.found[self._name] = self.found.get(self._name, "") + text


class _Slides(XmlReader):
    """The ids of a presentation's slides in their order."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sldId":
            self.ids.append(attributes.get("id", ""))


def read_office(tell: Tell, *, path: str, kind: str) -> dict[str, Any]:
    """Return an office file as a document.

    Args:
        kind: document, spreadsheet, presentation, or open (any of OpenDocument's).

    Raises:
        UnreadableFile, InputTooLarge: broken, protected, or it unpacks to too much.
    """
    readers: dict[str, Callable[[ZipMembers, Document], None]] = {
        "spreadsheet": read_sheets,
        "presentation": _read_slides,
        "open": _read_open_document,
    }
    with open_zip(Path(path)) as archive:
        # OpenDocument's way; a locked file of Microsoft's is no zip file.
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise UnreadableFile("The file is protected by a password.")
        document = Document(metadata=_metadata(archive))
        readers.get(kind, _read_word)(archive, document)
        document.notices += not_read(archive)
        if len(document.pages) > 1 or kind in {"spreadsheet", "presentation"}:
            document.page_count = len(document.pages)
        return to_plain(document)


def _read_word(archive: ZipMembers, document: Document) -> None:
    main = "word/document.xml"
    styles = StyleReader()
    if data := archive.read("word/styles.xml"):
        styles.read(data)
    body = BodyReader(letters="t", styles=styles.levels)
    body.read(archive.read(main))
    blocks, relations = body.blocks, relations_of(archive, main)
    for place, identity in reversed(body.chunks):
        blocks[place:place] = _chunk(archive, relations.get(identity, ("", ""))[0], document)
    blocks += charts_and_diagrams_of(archive, archive.names)
    blocks += margins_of(archive)
    document.pages = [Page(None, [*blocks, *comments_of(archive, archive.names)])]
    _tell_left_out(body, document)


def _chunk(archive: ZipMembers, name: str, document: Document) -> list[Block]:
    """Return a part that Word reads in when it opens the file (altChunk)."""
    data, end = archive.read(name), name.rpartition(".")[2].lower()
    if data and end in {"htm", "html", "xhtml", "txt", "xml"}:
        decoded = decode(data, declared=declared_in(data[:4096]), what="A part")
        document.notices += decoded.notices
        is_html = end != "txt" and "<" in decoded.text
        return read_html(decoded.text).blocks if is_html else [Block("paragraph", decoded.text.strip())]
    document.notices.append(Notice("left out", f"A part of the document in another format ({end}) was not read."))
    return []


def _read_slides(archive: ZipMembers, document: Document) -> None:
    for number, name in enumerate(_slides(archive), start=1):
        body = BodyReader(letters="t")
        body.read(archive.read(name))
        title = next((block.text for block in body.blocks if block.kind == "heading"), "")
        page = Page(number, body.blocks, title=title)
        document.pages.append(page)
        parts = {target for target, _ in relations_of(archive, name).values()}
        page.blocks += charts_and_diagrams_of(archive, parts)
        for part in sorted(part for part in parts if part.startswith("ppt/notesSlides/")):
            # The slide's number is a note, too.
            page.blocks += [Block("note", text) for text in texts_in(archive.read(part)) if not text.isdigit()]
        _tell_left_out(body, document)
    if document.pages and (comments := list(comments_of(archive, archive.names))):
        # Which slide each belongs to is written in several ways; they are at the end.
        document.pages[-1].blocks += comments


def _slides(archive: ZipMembers) -> list[str]:
    main, order = "ppt/presentation.xml", _Slides()
    if data := archive.read(main):
        order.read(data)
    relations = relations_of(archive, main)
    named = [name for name, _ in (relations.get(identity, ("", "")) for identity in order.ids) if name in archive.names]
    found = (re.fullmatch(r"ppt/slides/slide(\d+)\.xml", name) for name in archive.names)
    by_number = [match[0] for match in sorted((match for match in found if match), key=lambda match: int(match[1]))]
    return named + [name for name in by_number if name not in named]


def _read_open_document(archive: ZipMembers, document: Document) -> None:
    is_sheets = b"spreadsheet" in archive.read("mimetype")
    body = BodyReader(letters="", sheets=is_sheets)
    body.read(archive.read("content.xml"))
    document.pages = _sheets_of(body) if is_sheets else [Page(None, body.blocks)]
    if b"opendocument.text" in archive.read("mimetype") and (styles := archive.read("styles.xml")):
        # The only paragraphs there are those of headers and footers.
        margins = BodyReader(letters="")
        margins.read(styles)
        document.pages[0].blocks += [Block("header", text) for text in dict.fromkeys(b.text for b in margins.blocks)]
    for name in sorted(name for name in archive.names if re.fullmatch(r"Object [^/]+/content\.xml", name)):
        inside = BodyReader(letters="")
        inside.read(archive.read(name))
        if document.pages:
            document.pages[-1].blocks += inside.blocks
    _tell_left_out(body, document)


def _sheets_of(body: BodyReader) -> list[Page]:
    """Return a page for each table, with the comments that stand in it behind it."""
    pages: list[Page] = []
    notes: list[Block] = []
    names = [name for name, _ in body.sheets]
    for block in body.blocks:
        if block.grid is None:
            notes.append(block)
            continue
        title = names[len(pages)]
        pages.append(Page(len(pages) + 1, [*([Block("heading", title)] if title else []), block, *notes], title=title))
        notes = []
    if notes:
        pages.append(Page(len(pages) + 1, notes))
    return pages


def _tell_left_out(body: BodyReader, document: Document) -> None:
    if body.cells_left_out:
        told = f"{body.cells_left_out:,} cells of tables were left out: there are more than one task reads."
        document.notices.append(Notice("limit", told, body.cells_left_out))
    if body.deleted:
        where = "one place" if body.deleted == 1 else f"{body.deleted:,} places"
        document.notices.append(Notice("left out", f"Text marked as deleted was left out at {where}.", body.deleted))


def _metadata(archive: ZipMembers) -> dict[str, str]:
    properties = _Properties()
    for name in ("docProps/core.xml", "meta.xml"):
        if data := archive.read(name):
            properties.read(data)
    return {name: text.strip()[:500] for name, text in properties.found.items()}
