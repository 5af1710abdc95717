"""Reads the body of a Word, PowerPoint or OpenDocument file into blocks: paragraphs, headings, list items, tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tasks.engines.document import Block, BlockKind, Grid, Span
from tasks.engines.xml_events import XmlReader

PARAGRAPHS = {"p", "h"}
TABLES, ROWS, CELLS = {"tbl", "table"}, {"tr", "table-row"}, {"tc", "table-cell", "covered-table-cell"}
# Word keeps what was deleted, and PowerPoint a second rendering for old programs.
LEFT_OUT = {"Fallback", "del", "tracked-changes", "instrText", "moveFrom"}
DELETED = {"delText", "deletion"}
WHITE = {"tab": "\t", "br": "\n", "cr": "\n", "line-break": "\n", "noBreakHyphen": "-"}
HEADING_NAME = re.compile(r"(?:heading|überschrift|titre|标题|見出し)\s*(\d)", re.IGNORECASE)
TITLES = {"title", "ctrTitle"}
# A spreadsheet says of millions of empty cells that they are there.
MOST_REPEATED, MAX_CELLS = 1000, 1_000_000


@dataclass
class _Paragraph:
    parts: list[str] = field(default_factory=list)
    level: int | None = None
    kind: BlockKind = "paragraph"


@dataclass
class _Table:
    name: str = ""
    rows: list[list[str]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    head: int = 0
    cell: list[str] | None = None
    columns: int = 1
    repeated: int = 1
    row_repeated: int = 1


class BodyReader(XmlReader):
    """Collects the blocks of a body; `tables` are also kept by name, `chunks` are ids of parts that are to be read in.

    Args:
        letters: the element that text stands in; empty: any in a paragraph (OpenDocument).
        styles: a paragraph's rank as a heading by its style.
        sheets: tables are sheets, which end where their cells do.
    """

    def __init__(self, *, letters: str, styles: Mapping[str, int] | None = None, sheets: bool = False) -> None:
        self._letters, self._styles, self._sheets = letters, styles or {}, sheets
        self.blocks: list[Block] = []
        self.sheets: list[tuple[str, Block]] = []
        self.chunks: list[tuple[int, str]] = []
        self.cells = self.cells_left_out = self.deleted = 0
        self._paragraphs: list[_Paragraph] = []
        self._tables: list[_Table] = []
        self._open: list[str] = []
        self._skipping = self._lists = self._notes = 0
        self._shape_is_title = self._empty_before = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._open.append(name)
        if name in LEFT_OUT or self._skipping:
            self._skipping += 1
            self.deleted += name in DELETED
        elif name in PARAGRAPHS:
            level = _number(attributes.get("outline-level")) if name == "h" else 1 if self._shape_is_title else None
            kind: BlockKind = "heading" if level else "list" if self._lists else "paragraph"
            self._paragraphs.append(_Paragraph(level=level or self._lists or None, kind=kind))
        elif name in TABLES:
            self._tables.append(_Table(attributes.get("name", "")))
        elif self._tables and (name in ROWS or name in CELLS):
            self._begin_part(name, attributes)
        elif name in WHITE and self._paragraphs:
            self._paragraphs[-1].parts.append(WHITE[name])
        elif name == "s" and self._paragraphs:
            self._paragraphs[-1].parts.append(" " * min(_number(attributes.get("c")) or 1, 100))
        else:
            self._note_property(name, attributes)

    def end(self, name: str) -> None:
        self._open.pop()
        if self._skipping:
            self._skipping -= 1
        elif name in PARAGRAPHS and self._paragraphs:
            self._close_paragraph(self._paragraphs.pop())
        elif name in TABLES and self._tables:
            self._close_table(self._tables.pop())
        elif name in CELLS and self._tables:
            self._close_cell(self._tables[-1])
        elif name in ROWS and self._tables:
            self._close_row(self._tables[-1])
        elif name == "list-item":
            self._lists -= 1
        elif name == "annotation":
            self._notes -= 1
        elif name == "sp":
            self._shape_is_title = False

    def text(self, text: str) -> None:
        if self._skipping or not self._paragraphs:
            return
        if self._open[-1] == self._letters or (not self._letters and self._open[-1] not in {"creator", "date"}):
            self._paragraphs[-1].parts.append(text)

    def _note_property(self, name: str, attributes: Mapping[str, str]) -> None:
        value = attributes.get("val", "")
        paragraph = self._paragraphs[-1] if self._paragraphs else None
        if name == "ph":
            self._shape_is_title = attributes.get("type") in TITLES
        elif name == "list-item":
            self._lists += 1
        elif name == "annotation":
            self._notes += 1
        elif name == "altChunk":
            self.chunks.append((len(self.blocks), attributes.get("id", "")))
        elif name in {"gridSpan", "tblHeader"} and self._tables:
            self._note_cell(self._tables[-1], name, value)
        elif paragraph is None:
            return
        elif name == "pStyle" and (level := self._styles.get(value)):
            paragraph.kind, paragraph.level = "heading", level
        elif name == "numPr" and paragraph.kind == "paragraph":
            paragraph.kind, paragraph.level = "list", 1
        elif name == "ilvl" and paragraph.kind == "list":
            paragraph.level = _number(value) + 1

    def _note_cell(self, table: _Table, name: str, value: str) -> None:
        if name == "gridSpan":
            table.columns = min(max(_number(value), 1), MOST_REPEATED)
        elif table.head == len(table.rows) - 1:
            table.head += 1

    def _begin_part(self, name: str, attributes: Mapping[str, str]) -> None:
        table = self._tables[-1]
        if name in ROWS:
            table.rows.append([])
            table.row_repeated = _number(attributes.get("number-rows-repeated")) or 1
            return
        if not table.rows:
            table.rows.append([])
        covered = name == "covered-table-cell" or "1" in {attributes.get("hMerge"), attributes.get("vMerge")}
        wide = attributes.get("gridSpan") or attributes.get("number-columns-spanned")
        # PowerPoint and OpenDocument have places for the covered cells, Word has not.
        own_places = name != "tc" or "gridSpan" in attributes or "hMerge" in attributes
        columns = 1 if covered else min(max(_number(wide), 1), MOST_REPEATED)
        high = 1 if covered else _number(attributes.get("rowSpan") or attributes.get("number-rows-spanned")) or 1
        if columns > 1 or high > 1:
            table.spans.append(Span(len(table.rows) - 1, len(table.rows[-1]), high, columns))
        table.cell, table.columns = [], 1 if own_places else columns
        table.repeated = _number(attributes.get("number-columns-repeated")) or 1

    def _close_cell(self, table: _Table) -> None:
        if table.cell is None or not table.rows:
            return
        row, number, text = table.rows[-1], len(table.rows) - 1, " ".join(table.cell)
        column, table.cell = len(row), None
        if self.cells >= MAX_CELLS:
            self.cells_left_out += bool(text)
            return
        if table.columns > 1:
            table.spans.append(Span(number, column, 1, table.columns))
        times = min(table.repeated, MOST_REPEATED)
        self.cells_left_out += (table.repeated - times) * bool(text)
        row += [text] * times if text or table.repeated <= MOST_REPEATED else []
        row += [""] * (table.columns - 1)
        self.cells += times
        table.columns = 1

    def _close_row(self, table: _Table) -> None:
        row = table.rows[-1] if table.rows else []
        if self._sheets and not any(row) and table.rows:
            # A sheet's empty rows are no part of its table.
            table.rows.pop()
        elif table.row_repeated > 1 and any(row):
            room = max(0, MAX_CELLS - self.cells) // len(row)
            more = min(table.row_repeated - 1, MOST_REPEATED - 1, room)
            table.rows += [list(row) for _ in range(more)]
            self.cells += more * len(row)
            self.cells_left_out += (table.row_repeated - 1 - more) * sum(map(bool, row))

    def _close_paragraph(self, paragraph: _Paragraph) -> None:
        text = "".join(paragraph.parts).strip()
        cell = next((table.cell for table in reversed(self._tables) if table.cell is not None), None)
        if self._notes:
            self._add(Block("note", text))
        elif cell is not None:
            cell += [text] if text else []
        else:
            self._add(Block(paragraph.kind, text, level=paragraph.level))

    def _close_table(self, table: _Table) -> None:
        width = max((_width(row) for row in table.rows), default=0)
        rows = [[*row[:width], *[""] * (width - len(row))] if self._sheets else row for row in table.rows]
        rows = [row for row in rows if row]
        if not any(any(row) for row in rows):
            return
        text = "\n".join(" ".join(cell for cell in row if cell) for row in rows)
        block = Block("table", text, grid=Grid(rows, min(table.head, len(rows) - 1), tuple(table.spans)), gap="\n")
        outer = next((outer.cell for outer in reversed(self._tables) if outer.cell is not None), None)
        if outer is not None:
            outer.append(text)
        else:
            self.sheets.append((table.name, block))
            self._add(block)

    def _add(self, block: Block) -> None:
        if not block.text:
            self._empty_before = True
            return
        self.blocks.append(replace(block, gap="\n\n" if self._empty_before else "\n"))
        self._empty_before = False


class StyleReader(XmlReader):
    """Which of Word's paragraph styles are headings, and of what rank."""

    def __init__(self) -> None:
        self.levels: dict[str, int] = {}
        self._style = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        value = attributes.get("val", "")
        if name == "style":
            self._style = attributes.get("styleId", "")
        elif name == "name" and self._style:
            match = HEADING_NAME.match(value)
            if match or value.lower() == "title":
                self.levels[self._style] = int(match[1]) if match else 1
        elif name == "outlineLvl" and self._style and _number(value) < 9:
            self.levels.setdefault(self._style, _number(value) + 1)


def _width(row: list[str]) -> int:
    return max((place + 1 for place, cell in enumerate(row) if cell), default=0)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
