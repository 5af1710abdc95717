"""Reads files that are text into documents: HTML without its marks, rows of CSV, e-mails, JSON and Markdown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.engines.contained import Tell
from tasks.engines.document import Block, Document, Grid, Notice, Page, to_plain
from tasks.engines.emails import read_email
from tasks.engines.encodings import declared_in, decode
from tasks.engines.html_blocks import read_html
from tasks.engines.markdown_blocks import markdown_blocks
from tasks.errors import InputTooLarge, UnreadableFile

MAX_TEXT_BYTES = 20_000_000
MAX_ROWS, MAX_CELLS = 100_000, 1_000_000
HEAD_BYTES = 4096
DECLARING = {"text/html", "application/xml", "application/xhtml+xml", "image/svg+xml"}


def read_plain(tell: Tell, *, path: str, content_type: str) -> dict[str, Any]:
    """Return a file of text as a document.

    Raises:
        UnreadableFile: it is no text.
        InputTooLarge: it is too long.
    """
    data = Path(path).read_bytes()
    if len(data) > MAX_TEXT_BYTES:
        raise InputTooLarge(f"It is a text of more than {MAX_TEXT_BYTES // 1_000_000} MB.")
    return to_plain(read_email(data) if content_type == "message/rfc822" else _read(data, content_type))


def _read(data: bytes, content_type: str) -> Document:
    decoded = decode(data, declared=declared_in(data[:HEAD_BYTES]) if content_type in DECLARING else None)
    text, document = decoded.text, Document(notices=decoded.notices)
    if content_type in {"text/html", "application/xhtml+xml"}:
        page = read_html(text)
        document.metadata = dict(page.metadata)
        document.pages = [Page(None, page.blocks, title=page.metadata.get("title", ""), language=page.language)]
    elif content_type in {"text/csv", "text/tab-separated-values"}:
        document.pages = [_csv(text, content_type, document)]
    elif content_type == "application/json":
        document.pages, document.metadata = [Page(None, [Block("code", text)])], _json_facts(text)
    else:
        blocks = markdown_blocks(text) if content_type == "text/markdown" else _paragraphs(text)
        document.pages = [Page(None, list(blocks))]
        document.metadata = {"lines": str(len(text.splitlines()))}
    return document


def _paragraphs(text: str) -> Iterator[Block]:
    """Yield what empty lines part, with the gaps as they are."""
    gap = ""
    for part in re.split(r"(\n[ \t]*(?:\n[ \t]*)+)", text.replace("\r\n", "\n").rstrip()):
        if part.strip():
            yield Block("paragraph", part, gap=gap)
            gap = ""
        else:
            gap += part


def _csv(text: str, content_type: str, document: Document) -> Page:
    delimiter = "\t" if content_type.endswith("tab-separated-values") else _delimiter(text)
    rows: list[list[str]] = []
    cells = left_out = 0
    # A cell may be as long as the file.
    csv.field_size_limit(MAX_TEXT_BYTES)
    try:
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            if not any(row):
                continue
            cells += len(row)
            if len(rows) < MAX_ROWS and cells <= MAX_CELLS:
                rows.append([cell.strip() for cell in row])
            else:
                left_out += 1
    except csv.Error as error:
        raise UnreadableFile(f"The file is no table of separated values: {error}.") from error
    if left_out:
        told = f"{left_out:,} rows after the first {len(rows):,} are in the text, but not in the table."
        document.notices.append(Notice("limit", told, left_out))
    document.metadata = {"rows": str(len(rows)), "delimiter": {"\t": "tab"}.get(delimiter, delimiter)}
    if not rows:
        return Page(None, [Block("paragraph", text)] if left_out else [])
    return Page(None, [Block("table", text, grid=Grid(rows))])


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
