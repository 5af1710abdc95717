"""Reads the sheets of an Excel workbook: cells as people see them, dates as dates; a sheet is a page and a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tasks.engines.xml_events import XmlReader
from tasks.engines.zip_members import ZipMembers

MAX_ROWS, MAX_COLUMNS = 20_000, 500
# ECMA-376 part 1, 18.8.30: number formats that need not be written down.
DATE_FORMATS = {*range(14, 23), 45, 46, 47}
DAY_ZERO = datetime(1899, 12, 30)
LAST_DAY = 2_958_465


class _Strings(XmlReader):
    """The texts that cells point at."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._in_text = self._in_reading = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "si":
            self.found.append("")
        # rPh holds how a Japanese text is pronounced.
        self._in_reading = self._in_reading or name == "rPh"
        self._in_text = name == "t" and not self._in_reading

    def end(self, name: str) -> None:
        self._in_text = False
        self._in_reading = self._in_reading and name != "rPh"

    def text(self, text: str) -> None:
        if self._in_text and self.found:
            self.found[-1] += text


class _Styles(XmlReader):
    """Which cell styles show a number as a date."""

    def __init__(self) -> None:
        self.dates: list[bool] = []
        self._formats: dict[int, str] = {}
        self._in_cells = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "numFmt":
            self._formats[_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            chosen = _number(attributes.get("numFmtId"))
            code = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", self._formats.get(chosen, ""))
            self.dates.append(chosen in DATE_FORMATS or bool(re.search(r"[dy]", code, re.IGNORECASE)))

    def end(self, name: str) -> None:
        self._in_cells = self._in_cells and name != "cellXfs"


class _Workbook(XmlReader):
    """Names of the sheets with the ids of their parts, or (for the relations) paths by id."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            self.sheets.append((attributes.get("name", ""), attributes.get("id", "")))
        elif name == "Relationship":
            target = attributes.get("Target", "")
            self.targets[attributes.get("Id", "")] = target.lstrip("/") if target[:1] == "/" else f"xl/{target}"


class _Sheet(XmlReader):
    """The cells of a sheet."""

    def __init__(self, strings: list[str], dates: list[bool]) -> None:
        self.rows: dict[int, dict[int, str]] = {}
        self._strings, self._dates = strings, dates
        self._row = self._column = 0
        self._kind, self._style, self._value, self._in_value = "", 0, "", False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "row":
            self._row = _number(attributes.get("r")) or self._row + 1
            self._column = 0
        elif name == "c":
            self._column = _column(attributes.get("r", "")) or self._column + 1
            self._kind, self._style = attributes.get("t", "n"), _number(attributes.get("s"))
            self._value = ""
        self._in_value = name == "v" or (name == "t" and self._kind == "inlineStr")

    def end(self, name: str) -> None:
        self._in_value = False
        if name == "c" and self._value and self._row <= MAX_ROWS and self._column <= MAX_COLUMNS:
            self.rows.setdefault(self._row, {})[self._column] = self._shown()

    def text(self, text: str) -> None:
        if self._in_value:
            self._value += text

    def _shown(self) -> str:
        value = self._value
        if self._kind == "s":
            place = _number(value)
            return self._strings[place].strip() if place < len(self._strings) else ""
        if self._kind == "b":
            return "true" if value == "1" else "false"
        if self._kind == "n" and self._style < len(self._dates) and self._dates[self._style]:
            return _date(value)
        return _plain(value) if self._kind == "n" else value.strip()


def read_sheets(archive: ZipMembers) -> list[dict[str, Any]]:
    """Return a page for each sheet: its name and rows as text, and the rows as a table."""
    strings, styles, workbook, relations = _Strings(), _Styles(), _Workbook(), _Workbook()
    parts: tuple[tuple[XmlReader, str], ...] = (
        (strings, "xl/sharedStrings.xml"),
        (styles, "xl/styles.xml"),
        (workbook, "xl/workbook.xml"),
        (relations, "xl/_rels/workbook.xml.rels"),
    )
    for reader, name in parts:
        if data := archive.read(name):
            reader.read(data)
    pages = []
    for title, identity in workbook.sheets:
        sheet = _Sheet(strings.found, styles.dates)
        if data := archive.read(relations.targets.get(identity, "")):
            sheet.read(data)
        rows = _table(sheet.rows)
        lines = [title, *("\t".join(row) for row in rows)]
        pages.append({"text": "\n".join(lines), "tables": [rows] if rows else []})
    return pages


def _table(cells: dict[int, dict[int, str]]) -> list[list[str]]:
    columns = sorted({column for row in cells.values() for column in row})
    if not columns:
        return []
    wide = range(columns[0], columns[-1] + 1)
    return [[cells[row].get(column, "") for column in wide] for row in sorted(cells)]


def _column(reference: str) -> int:
    """Return the number of a cell's column, from 1.

    >>> _column("A1"), _column("AB7"), _column("")
    (1, 28, 0)
    """
    number = 0
    for letter in re.match(r"[A-Z]{0,3}", reference)[0]:  # type: ignore[index]
        number = number * 26 + ord(letter) - 64
    return number


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _date(value: str) -> str:
    """Return a serial day as ISO 8601; serial days are counted from 30 December 1899.

    >>> _date("45306"), _date("45306.5")
    ('2024-01-15', '2024-01-15 12:00')
    """
    try:
        days = float(value)
    except ValueError:
        return value
    if not 1 <= days < LAST_DAY:
        return value
    moment = DAY_ZERO + timedelta(minutes=round(days * 24 * 60))
    return moment.strftime("%Y-%m-%d" if days == int(days) else "%Y-%m-%d %H:%M")


def _plain(value: str) -> str:
    """Return a number without what binary fractions add.

    >>> _plain("0.1000000000000000055"), _plain("1200"), _plain("1E3")
    ('0.1', '1200', '1000')
    """
    try:
        return f"{float(value):.15g}" if re.search(r"[.eE]", value) else value.strip()
    except ValueError:
        return value.strip()
