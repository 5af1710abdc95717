"""Reads the sheets of an Excel workbook: cells as people see them, dates as dates; a sheet is a page and a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from tasks.engines.document import Block, Document, Grid, Notice, Page
from tasks.engines.office_extras import charts_and_diagrams_of, comments_of
from tasks.engines.office_relations import relations_of
from tasks.engines.sheet_values import (
    DAY_ZERO,
    DAY_ZERO_1904,
    column_name,
    column_number,
    date_text,
    margin_text,
    number_of,
    number_text,
)
from tasks.engines.xml_events import XmlReader
from tasks.engines.zip_members import ZipMembers

# Of a whole workbook: cells with a value, and places of its tables, most of which may be empty.
MAX_CELLS, MAX_PLACES = 1_000_000, 2_000_000
# More empty columns than this between two with values are left out of the table.
WIDEST_GAP = 20
# ECMA-376 part 1, 18.8.30: number formats that need not be written down.
DATE_FORMATS = {*range(14, 23), 45, 46, 47}
MARGINS = {"oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"}


class _Strings(XmlReader):
    """The texts that cells point at."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] = []
        self._in_text = self._in_reading = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        # rPh holds how a Japanese text is pronounced.
        self._in_reading = self._in_reading or name == "rPh"
        self._in_text = name == "t" and not self._in_reading

    def end(self, name: str) -> None:
        self._in_text = False
        self._in_reading = self._in_reading and name != "rPh"
        if name == "si":
            self.found.append("".join(self._parts).strip())
            self._parts.clear()

    def text(self, text: str) -> None:
        if self._in_text:
            self._parts.append(text)


class _Styles(XmlReader):
    """Which cell styles show a number as a date."""

    def __init__(self) -> None:
        self.dates: list[bool] = []
        self._formats: dict[int, str] = {}
        self._in_cells = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "numFmt":
            self._formats[number_of(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            chosen = number_of(attributes.get("numFmtId"))
            code = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", self._formats.get(chosen, ""))
            self.dates.append(chosen in DATE_FORMATS or bool(re.search(r"[dy]", code, re.IGNORECASE)))

    def end(self, name: str) -> None:
        self._in_cells = self._in_cells and name != "cellXfs"


class _Workbook(XmlReader):
    """Names of the sheets with the ids of their parts, and the day that dates are counted from."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.day_zero = DAY_ZERO

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
            self.day_zero = DAY_ZERO_1904
        if name == "sheet":
            self.sheets.append((attributes.get("name", ""), attributes.get("id", "")))


class _Sheet(XmlReader):
    """The cells of a sheet, at most `room`; `left_out` are the places of the others, as far as one names them."""

    def __init__(self, strings: list[str], dates: list[bool], room: int, day_zero: datetime) -> None:
        self.rows: dict[int, dict[int, str]] = {}
        # A program that cannot calculate writes formulas without their values.
        self.count = self.left_out = self.uncalculated = self.lost = 0
        self.margins: list[str] = []
        self._margin: str | None = None
        self._day_zero, self._has_formula = day_zero, False
        self.first_left_out = ""
        self._strings, self._dates, self._room = strings, dates, room
        self._row = self._column = 0
        self._kind, self._style, self._value, self._in_value = "", 0, "", False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "row":
            self._row = number_of(attributes.get("r")) or self._row + 1
            self._column = 0
        elif name == "c":
            self._column = column_number(attributes.get("r", "")) or self._column + 1
            self._kind, self._style = attributes.get("t", "n"), number_of(attributes.get("s"))
            self._value, self._has_formula = "", False
        elif name == "f":
            self._has_formula = True
        elif name in MARGINS:
            self._margin = ""
        self._in_value = name == "v" or (name == "t" and self._kind == "inlineStr")

    def end(self, name: str) -> None:
        self._in_value = False
        if name in MARGINS and self._margin is not None:
            self.margins += [said] if (said := margin_text(self._margin)) else []
            self._margin = None
        if name == "c" and self._has_formula and not self._value and self._kind != "str":
            self.uncalculated += 1
        if name == "c" and self._value and (shown := self._shown()):
            self.count += 1
            if self.count <= self._room:
                self.rows.setdefault(self._row, {})[self._column] = shown
            else:
                self.left_out += 1
                self.first_left_out = self.first_left_out or f"{column_name(self._column)}{self._row}"

    def text(self, text: str) -> None:
        if self._in_value:
            self._value += text
        elif self._margin is not None:
            self._margin += text

    def _shown(self) -> str:
        value = self._value
        if self._kind == "s":
            place = number_of(value)
            self.lost += place >= len(self._strings)
            return self._strings[place] if place < len(self._strings) else ""
        if self._kind == "b":
            return "true" if value == "1" else "false"
        if self._kind == "n" and self._style < len(self._dates) and self._dates[self._style]:
            return date_text(value, self._day_zero)
        return number_text(value) if self._kind == "n" else value.strip()


def read_sheets(archive: ZipMembers, document: Document) -> None:
    """Add a page for each sheet: its name, its rows as a table, its charts, drawings and comments."""
    strings, styles, workbook = _Strings(), _Styles(), _Workbook()
    parts: tuple[tuple[XmlReader, str], ...] = (
        (strings, "xl/sharedStrings.xml"),
        (styles, "xl/styles.xml"),
        (workbook, "xl/workbook.xml"),
    )
    for reader, name in parts:
        if data := archive.read(name):
            reader.read(data)
    relations, room, places = relations_of(archive, "xl/workbook.xml"), MAX_CELLS, MAX_PLACES
    for number, (title, identity) in enumerate(workbook.sheets, start=1):
        part = relations.get(identity, ("", ""))[0]
        sheet = _Sheet(strings.found, styles.dates, room, workbook.day_zero)
        page = Page(number, [Block("heading", title)] if title else [], title=title)
        if data := archive.read(part):
            sheet.read(data)
        else:
            page.notices.append(Notice("unreadable", f"Sheet {title}: its cells are missing in the file.", page=number))
        rows = _table(sheet.rows, page, places)
        room, places = room - min(sheet.count, room), places - sum(len(row) for row in rows)
        if rows:
            page.blocks.append(Block("table", "\n".join("\t".join(row) for row in rows), grid=Grid(rows), gap="\n"))
        if sheet.left_out:
            told = (
                f"Sheet {title}: {sheet.left_out:,} cells from {sheet.first_left_out} on were left out: one task reads"
            )
            page.notices.append(Notice("limit", f"{told} at most {MAX_CELLS:,}.", sheet.left_out, number))
        if sheet.lost:
            told = f"Sheet {title}: {sheet.lost:,} cells point at texts that are missing in the file."
            page.notices.append(Notice("unreadable", told, sheet.lost, number))
        if sheet.uncalculated:
            what = (
                "one formula without its value"
                if sheet.uncalculated == 1
                else f"{sheet.uncalculated:,} formulas without values"
            )
            told = f"Sheet {title}: the program that wrote it left {what}."
            page.notices.append(Notice("left out", told, sheet.uncalculated, number))
        page.blocks += [*_beside(archive, part), *(Block("header", text) for text in dict.fromkeys(sheet.margins))]
        document.pages.append(page)


def _beside(archive: ZipMembers, part: str) -> list[Block]:
    """Return a sheet's charts, what is written on drawings, and its comments."""
    parts = {target for target, _ in relations_of(archive, part).values()}
    for drawing in [target for target in parts if "/drawings/" in target]:
        parts |= {target for target, _ in relations_of(archive, drawing).values()}
    return [*charts_and_diagrams_of(archive, parts), *comments_of(archive, parts)]


def _table(cells: dict[int, dict[int, str]], page: Page, places: int) -> list[list[str]]:
    """Return the rows that have values, and the columns between the first and the last that has any."""
    columns = sorted({column for row in cells.values() for column in row})
    if not columns:
        return []
    shown, gaps = columns[:1], []
    for column in columns[1:]:
        if column - shown[-1] - 1 > WIDEST_GAP:
            gaps.append((shown[-1], column))
            shown.append(column)
        else:
            shown += range(shown[-1] + 1, column + 1)
    if gaps:
        _tell_gaps(page, gaps)
    if len(shown) * len(cells) > places:
        told = f"Sheet {page.title}: its cells lie too far apart for a table; each row has only those with a value."
        page.notices.append(Notice("unsure", told, page=page.number))
        return [[cells[row][column] for column in sorted(cells[row])] for row in sorted(cells)]
    return [[cells[row].get(column, "") for column in shown] for row in sorted(cells)]


def _tell_gaps(page: Page, gaps: list[tuple[int, int]]) -> None:
    before, after = gaps[0]
    names = f"between {column_name(before)} and {column_name(after)}"
    where = names if len(gaps) == 1 else f"at {len(gaps)} places, the first {names},"
    told = f"Sheet {page.title}: the empty columns {where} are left out of the table."
    empty = sum(after - before - 1 for before, after in gaps)
    page.notices.append(Notice("left out", told, empty, page.number))
