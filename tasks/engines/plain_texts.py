"""Reads files that are text: HTML without its marks, rows of CSV, e-mails with their headers, JSON as it is."""

from __future__ import annotations

import csv
import io
import json
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tasks.engines.contained import Tell
from tasks.errors import InputTooLarge, UnreadableFile

MAX_TEXT_BYTES = 20_000_000
MAX_ROWS = 20_000
HIDDEN = {"script", "style", "template", "noscript", "svg", "head"}
BLOCKS = {
    "p", "div", "br", "li", "ul", "ol", "tr", "table", "section", "article", "header", "footer", "blockquote", "pre",
    "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "figure", "hr", "form", "main", "nav", "aside",
}  # fmt: skip


def read_plain(tell: Tell, *, path: str, content_type: str) -> dict[str, Any]:
    """Return text, tables and metadata of a text file.

    Raises:
        UnreadableFile: it is no text.
        InputTooLarge: it is too long.
    """
    data = Path(path).read_bytes()
    if len(data) > MAX_TEXT_BYTES:
        raise InputTooLarge(f"It is a text of more than {MAX_TEXT_BYTES // 1_000_000} MB.")
    if content_type == "message/rfc822":
        return _email(data)
    text = decode(data)
    if content_type == "text/html":
        page = _Page()
        page.feed(text)
        page.close()
        return {"text": page.shown, "tables": page.tables, "metadata": page.metadata}
    if content_type in {"text/csv", "text/tab-separated-values"}:
        return _csv(text, content_type)
    if content_type == "application/json":
        return {"text": text, "tables": [], "metadata": _json_facts(text)}
    return {"text": text, "tables": [], "metadata": {"lines": str(len(text.splitlines()))}}


def decode(data: bytes) -> str:
    """Return the text of bytes in UTF-8, UTF-16 with its mark, or else Windows' western encoding.

    Raises:
        UnreadableFile: the bytes are no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise UnreadableFile("The file is not text: it holds NUL bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


class _Page(HTMLParser):
    """Collects what a browser would show of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.metadata: dict[str, str] = {}
        self.tables: list[list[list[str]]] = []
        self._parts: list[str] = []
        self._hidden: list[str] = []
        self._title = False
        self._cell: list[str] | None = None

    @property
    def shown(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._parts).splitlines())
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._title = tag == "title"
        if tag in HIDDEN:
            self._hidden.append(tag)
        if tag in BLOCKS:
            self._parts.append("\n")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self._parts.append(" ")
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        self._title = False
        if tag in self._hidden:
            # Whatever was opened inside and not closed ends with it.
            del self._hidden[self._hidden.index(tag) :]
        if tag in BLOCKS:
            self._parts.append("\n")
        if tag in {"td", "th"} and self._cell is not None:
            if self.tables and self.tables[-1]:
                self.tables[-1][-1].append(" ".join("".join(self._cell).split()))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._title:
            self.metadata["title"] = (self.metadata.get("title", "") + data).strip()[:500]
        if self._hidden or self._title:
            return
        self._parts.append(data)
        if self._cell is not None:
            self._cell.append(data)


def _csv(text: str, content_type: str) -> dict[str, Any]:
    delimiter = "\t" if content_type.endswith("tab-separated-values") else _delimiter(text)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            if any(row):
                rows.append([cell.strip() for cell in row])
            if len(rows) >= MAX_ROWS:
                break
    except csv.Error as error:
        raise UnreadableFile(f"The file is no table of separated values: {error}.") from error
    facts = {"rows": str(len(rows)), "delimiter": {"\t": "tab"}.get(delimiter, delimiter)}
    return {"text": text, "tables": [rows] if rows else [], "metadata": facts}


def _delimiter(text: str) -> str:
    """Return the mark that cuts most lines of the beginning into equally many cells.

    >>> _delimiter("a;b\\n1,5;2,5\\n")
    ';'
    """
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:50]
    best, most = ",", 0.0
    for mark in ",;\t|":
        counts = [line.count(mark) for line in lines]
        usual = max(set(counts), key=counts.count) if counts else 0
        score = usual and counts.count(usual) / len(counts)
        if score > most:
            best, most = mark, score
    return best


def _json_facts(text: str) -> dict[str, str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {"valid": "no"}
    size = f"{len(value)}" if isinstance(value, dict | list) else "1"
    return {
        "valid": "yes",
        "kind": {"dict": "object", "list": "array"}.get(type(value).__name__, "value"),
        "size": size,
    }


def _email(data: bytes) -> dict[str, Any]:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    headers = {name: str(message[name])[:500] for name in ("from", "to", "cc", "subject", "date") if message[name]}
    body = message.get_body(preferencelist=("plain", "html"))
    text = str(body.get_content()) if body is not None else ""
    if body is not None and body.get_content_type() == "text/html":
        page = _Page()
        page.feed(text)
        text = page.shown
    names = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    attached = {"attachments": ", ".join(names)[:500]} if names else {}
    lines = [f"{name.capitalize()}: {value}" for name, value in headers.items()]
    return {"text": "\n".join([*lines, "", text.strip()]), "tables": [], "metadata": headers | attached}
