"""Reads Word, PowerPoint and OpenDocument texts: paragraphs and tables in their order, slides as pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.engines.contained import Tell
from tasks.engines.sheets import read_sheets
from tasks.engines.xml_events import XmlReader
from tasks.engines.zip_members import ZipMembers, open_zip

Rows = list[list[str]]

PARAGRAPHS = {"p", "h"}
# Word keeps what was deleted, and PowerPoint a second rendering for old programs.
LEFT_OUT = {"Fallback", "del", "annotation", "tracked-changes", "instrText"}
PROPERTIES = {
    "title", "creator", "subject", "description", "keywords", "created", "modified", "lastModifiedBy", "language",
    "initial-creator", "creation-date", "date",
}  # fmt: skip


class _Body(XmlReader):
    """Collects paragraphs, and the rows of tables both as lines of text and as cells."""

    def __init__(self, *, letters: str) -> None:
        # The element that text stands in; empty: any (OpenDocument).
        self._letters = letters
        self.lines: list[str] = []
        self.tables: list[Rows] = []
        self._paragraph: list[str] = []
        self._cell: list[str] | None = None
        self._depth = self._skipping = 0
        self._open: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._open.append(name)
        if name in LEFT_OUT or self._skipping:
            self._skipping += 1
        elif name in {"tbl", "table"}:
            self._depth += 1
            if self._depth == 1:
                self.tables.append([])
        elif name in {"tr", "table-row"} and self._depth == 1:
            self.tables[-1].append([])
        elif name in {"tc", "table-cell"} and self._depth == 1:
            self._cell = []
        elif name in {"tab", "br", "line-break", "s"}:
            self._paragraph.append(" " if name == "s" else "\t" if name == "tab" else "\n")

    def end(self, name: str) -> None:
        self._open.pop()
        if self._skipping:
            self._skipping -= 1
        elif name in PARAGRAPHS:
            self._close_paragraph()
        elif name in {"tbl", "table"}:
            self._depth -= 1
        elif name in {"tr", "table-row"} and self._depth == 1:
            self.lines.append(" ".join(cell for cell in self.tables[-1][-1] if cell))
        elif name in {"tc", "table-cell"} and self._depth == 1 and self._cell is not None:
            self.tables[-1][-1].append(" ".join(self._cell))
            self._cell = None

    def text(self, text: str) -> None:
        if self._skipping or not self._open:
            return
        if self._open[-1] == self._letters or (not self._letters and not PARAGRAPHS.isdisjoint(self._open)):
            self._paragraph.append(text)

    def _close_paragraph(self) -> None:
        text, self._paragraph = "".join(self._paragraph).strip(), []
        if self._cell is not None:
            self._cell += [text] if text else []
        else:
            self.lines.append(text)


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


def read_office(tell: Tell, *, path: str, kind: str) -> dict[str, Any]:
    """Return pages (a text and its tables each) and metadata of an office file.

    Args:
        kind: document, spreadsheet, presentation, or open (any of OpenDocument's).

    Raises:
        UnreadableFile, InputTooLarge: broken, protected, or it unpacks to too much.
    """
    with open_zip(Path(path)) as archive:
        if kind == "spreadsheet":
            pages = read_sheets(archive)
        elif kind == "presentation":
            pages = [_page(archive.read(name), letters="t") for name in _slides(archive)]
        elif kind == "open":
            pages = [_page(archive.read("content.xml"), letters="")]
        else:
            pages = [_page(archive.read("word/document.xml"), letters="t")]
        return {"pages": pages, "metadata": _metadata(archive)}


def _page(data: bytes, *, letters: str) -> dict[str, Any]:
    body = _Body(letters=letters)
    body.read(data)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(body.lines)).strip()
    return {"text": text, "tables": [table for table in body.tables if any(any(row) for row in table)]}


def _slides(archive: ZipMembers) -> list[str]:
    found = (re.fullmatch(r"ppt/slides/slide(\d+)\.xml", name) for name in archive.names)
    return [match[0] for match in sorted((match for match in found if match), key=lambda match: int(match[1]))]


def _metadata(archive: ZipMembers) -> dict[str, str]:
    properties = _Properties()
    for name in ("docProps/core.xml", "meta.xml"):
        if data := archive.read(name):
            properties.read(data)
    return {name: text.strip()[:500] for name, text in properties.found.items()}
