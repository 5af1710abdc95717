"""Reads HTML into blocks: what a browser would show of a page, without its markup."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

from tasks.engines.document import Block, BlockKind, Grid, Span

HIDDEN = {"script", "style", "template", "noscript", "svg", "head"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
LISTS = {"ul", "ol", "menu", "dir"}
# Those after which a browser leaves a space; the others only begin a new line.
SPACED = {
    "p",
    "table",
    "blockquote",
    "pre",
    "section",
    "article",
    "header",
    "footer",
    "figure",
    "main",
    "hr",
    *HEADINGS,
}
BLOCKS = SPACED | LISTS | {
    "div", "li", "tr", "dt", "dd", "form", "nav", "aside", "caption", "figcaption", "title", "address", "fieldset",
    "dl",
}  # fmt: skip
CELLS = {"td", "th"}
# Of a drawing, what is writing; of a form, the fields whose value is not shown as text.
DRAWN = {"text", "foreignobject"}
NO_TEXT_FIELDS = {"hidden", "password", "checkbox", "radio", "file", "image", "color", "range"}
DEEPEST_FRAME = 3
MOST_COLUMNS, MOST_ROWS = 200, 2000
MAX_CELLS = 1_000_000
MOST_BLOCKS_A_CELL = 6
# What is nested deeper is read as if it were not.
DEEPEST, DEEPEST_TABLE = 500, 50


@dataclass
class _Table:
    """A table whose cells are blocks, until its end shows whether it is one, or a page laid out with it."""

    rows: list[list[list[Block]]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    heads: list[bool] = field(default_factory=list)
    # Places below that a cell of several rows covers.
    taken: set[tuple[int, int]] = field(default_factory=set)
    cell: list[Block] | None = None
    span: tuple[int, int] = (1, 1)

    def begin_row(self) -> None:
        self.end_cell()
        self.rows.append([])
        self.heads.append(True)

    def begin_cell(self, tag: str, columns: int, rows: int) -> None:
        self.end_cell()
        if not self.rows:
            self.begin_row()
        self.heads[-1] = self.heads[-1] and tag == "th"
        self.cell, self.span = [], (rows, columns)

    def end_cell(self) -> None:
        if self.cell is None:
            return
        row, number = self.rows[-1], len(self.rows) - 1
        while (number, len(row)) in self.taken:
            row.append([])
        column, (high, wide) = len(row), self.span
        row += [self.cell, *([] for _ in range(wide - 1))]
        if high > 1 or wide > 1:
            self.spans.append(Span(number, column, high, wide))
        for below in range(number + 1, number + high):
            self.taken.update((below, column + across) for across in range(wide))
        self.cell = None

    def blocks(self) -> list[Block]:
        """Return one table, or the cells' blocks where the table only lays out the page."""
        self.end_cell()
        inside = [block for row in self.rows for cell in row for block in cell]
        if self._is_layout():
            return inside
        rows = [[" ".join(block.text for block in cell) for cell in row] for row in self.rows]
        text = "\n".join(" ".join(cell for cell in row if cell) for row in rows)
        head = next((place for place, is_head in enumerate(self.heads) if not is_head), 0)
        return [Block("table", text, grid=Grid(rows, head, tuple(self.spans)))] if text.strip() else []

    def _is_layout(self) -> bool:
        cells = [cell for row in self.rows for cell in row if cell]
        nested = any(block.kind in {"table", "heading", "code"} for cell in cells for block in cell)
        return len(cells) <= 1 or nested or any(len(cell) > MOST_BLOCKS_A_CELL for cell in cells)


class HtmlReader(HTMLParser):
    """Collects the blocks of a page."""

    def __init__(self, depth: int = 0) -> None:
        super().__init__(convert_charrefs=True)
        self._depth, self._is_drawn = depth, False
        self.metadata: dict[str, str] = {}
        self.blocks: list[Block] = []
        self.language: str | None = None
        self.cells = 0
        self._parts: list[str] = []
        self._hidden: list[str] = []
        self._open: list[str] = []
        self._tables: list[_Table] = []
        self._title = self._gap = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "html" and given.get("lang"):
            self.language = given["lang"][:20]
        if tag in HIDDEN and len(self._hidden) < DEEPEST:
            self._hidden.append(tag)
        if tag in BLOCKS or tag in CELLS:
            self._close_block()
        if tag in BLOCKS and len(self._open) < DEEPEST:
            self._open.append(tag)
            self._widen("\n\n" if tag in SPACED else "\n")
        if tag in DRAWN and set(self._hidden) == {"svg"}:
            self._is_drawn = True
        self._show_attributes(tag, given)
        if tag == "br":
            self._parts.append("\n")
        elif tag == "table" and len(self._tables) < DEEPEST_TABLE:
            self._tables.append(_Table())
        elif tag == "tr" and self._tables:
            self._tables[-1].begin_row()
        elif tag in CELLS and self._tables:
            wide, high = _count(given.get("colspan"), MOST_COLUMNS), _count(given.get("rowspan"), MOST_ROWS)
            self.cells += wide * high
            if self.cells > MAX_CELLS:
                # Many cells are still cells, but cover no places beside their own.
                wide = high = 1
            self._tables[-1].begin_cell(tag, wide, high)

    def _show_attributes(self, tag: str, given: dict[str, str]) -> None:
        """Read what stands in attributes and is shown: values of fields, what pictures show, pages in frames."""
        if self._hidden:
            return
        if tag == "img" and given.get("alt"):
            self._parts.append(f" {given['alt']} ")
        elif tag == "input" and given.get("value") and given.get("type", "text").lower() not in NO_TEXT_FIELDS:
            self._parts.append(f" {given['value']} ")
        elif tag == "iframe" and given.get("srcdoc") and self._depth < DEEPEST_FRAME:
            self._close_block()
            self._inside().extend(read_html(given["srcdoc"], self._depth + 1).blocks)

    def handle_endtag(self, tag: str) -> None:
        if tag in DRAWN and self._is_drawn:
            self._is_drawn = False
            self._parts.append(" ")
        if tag in self._hidden:
            # Whatever was opened inside and not closed ends with it.
            del self._hidden[self._hidden.index(tag) :]
        if tag in BLOCKS or tag in CELLS:
            self._close_block()
        if tag in {*CELLS, "tr"} and self._tables:
            self._tables[-1].end_cell()
        if tag == "table" and self._tables:
            self._close_table()
        if tag in BLOCKS:
            if tag in self._open:
                del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]
            self._widen("\n\n" if tag in SPACED else "\n")

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            # One that HTML does not know is a comment to browsers.
            return self.parse_bogus_comment(i)

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["title"]:
            self.metadata["title"] = " ".join(f"{self.metadata.get('title', '')}{data}".split())[:500]
        elif not self._hidden or (self._is_drawn and set(self._hidden) == {"svg"}):
            self._parts.append(data)

    def close(self) -> None:
        super().close()
        self._close_block()
        while self._tables:
            self._close_table()

    def _widen(self, gap: str) -> None:
        self._gap = max(self._gap, gap, key=len)

    def _close_block(self) -> None:
        raw, self._parts = "".join(self._parts), []
        kept = "pre" in self._open
        lines = raw.strip("\n").splitlines() if kept else [" ".join(line.split()) for line in raw.splitlines()]
        text = (
            re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() if kept else "\n".join(line for line in lines if line)
        )
        if text:
            kind, level = self._kind()
            self._inside().append(Block(kind, text, level=level, gap=self._gap or "\n"))
            self._gap = ""

    def _inside(self) -> list[Block]:
        """Return where a block belongs: the innermost open cell, or the page."""
        return next((table.cell for table in reversed(self._tables) if table.cell is not None), self.blocks)

    def _kind(self) -> tuple[BlockKind, int | None]:
        inner = next((tag for tag in reversed(self._open) if tag not in {"div", "section", "article"}), "")
        if inner in HEADINGS:
            return "heading", int(inner[1])
        if "li" in self._open:
            return "list", max(1, sum(tag in LISTS for tag in self._open))
        if inner == "pre":
            return "code", None
        return ("caption", None) if inner in {"caption", "figcaption"} else ("paragraph", None)

    def _close_table(self) -> None:
        blocks = self._tables.pop().blocks()
        self._inside().extend(blocks)
        self._widen("\n\n")


def read_html(text: str, depth: int = 0) -> HtmlReader:
    """Return the reader of a page, which has its blocks; `depth` counts the pages that it stands in."""
    reader = HtmlReader(depth)
    # Behind the last ">" no tag is whole: it is text. The parser would look for its end from each "<" anew.
    end = text.rfind(">") + 1
    reader.feed(text[:end])
    reader.handle_data(unescape(text[end:]))
    reader.close()
    return reader


def _count(written: str | None, most: int) -> int:
    return (
        min(max(int(written), 1), most)
        if written and written.isascii() and written.isdigit() and len(written) < 6
        else 1
    )
