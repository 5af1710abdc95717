"""Writes the tables of a result into one workbook (XLSX): a sheet for each, and one that says where they stood."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tasks.exports.tables import Covered, ResultTable

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a sheet and a cell hold at most (Excel, "specifications and limits").
MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 1_048_576, 16_384, 32_767
# Writing so many takes 2.6 s of processor time and 80 MB; the CSV has all of a table.
MOST_CELLS = 200_000
# Of which nobody finds one among more.
MOST_SHEETS = 500
ABOUT = ["Sheet", "Title", "Page", "Left", "Top", "Right", "Bottom", "Rows", "Columns", "Rows of names", "Left out"]
NARROWEST, WIDEST = 8, 60
# A file names as many spans as it likes, each over all the others: no more places are compared.
MOST_LOOKED_AT = 2 * MOST_CELLS
# Of a table so many rows tell how wide its columns are.
LOOKED_AT = 200


def write_workbook(tables: Iterable[ResultTable]) -> bytes:
    """Return a workbook of tables. All cells are texts as they were read: nothing is a formula, a number or a link.

    Rows that name the columns are bold and stay in sight, cells that cover others are merged. The last sheet, About,
    has each table's page and box, and what was left out because a workbook has no room for it. What comes after that is
    not asked for.
    """
    # Loaded with the first workbook: most processes never write one.
    from xlsxwriter import Workbook

    stored = io.BytesIO()
    with Workbook(stored, {"in_memory": True}) as book:
        styles = {"head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})}
        styles["cell"] = book.add_format({"text_wrap": True, "valign": "top"})
        left = MOST_CELLS
        told: list[list[str | float | None]] = []
        for table in tables:
            if left <= 0 or len(told) >= MOST_SHEETS:
                told.append(["", "What comes after has no room here; the CSV has all of it."])
                break
            name = f"Table {table.number}"
            missing, left = _write(book, name, table, styles, left)
            told.append(_about(name, table, missing))
        _tell(book.add_worksheet("About"), told, styles["head"])
    return stored.getvalue()


def _write(book: Workbook, name: str, table: ResultTable, styles: dict[str, Any], left: int) -> tuple[str, int]:
    """Write one table; return what of it was left out, and how many cells there is room for after it."""
    sheet = book.add_worksheet(name)
    # That a text looks like a number is meant: 0012 and 1,204 stay what they were.
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    columns = min(table.column_count, MOST_COLUMNS)
    count = min(len(table.rows), MOST_ROWS, left // max(columns, 1))
    head = min(table.head or 0, count)
    cut = 0
    merged = {(span.row, span.column): span for span in _apart(table.spans, count, columns)}
    for number, row in enumerate(table.rows[:count]):
        style = styles["head"] if number < head else styles["cell"]
        for place, cell in enumerate(row[:columns]):
            text = "" if cell is None else str(cell)
            cut += len(text) > LONGEST_CELL
            text = text[:LONGEST_CELL]
            if span := merged.get((number, place)):
                last = (number + span.rows - 1, place + span.columns - 1)
                sheet.merge_range(number, place, *last, "", style)
            if text:
                sheet.write_string(number, place, text, style)
    for place in range(columns):
        sheet.set_column(place, place, _width(table.rows[:LOOKED_AT], place))
    if head:
        sheet.freeze_panes(head, 0)
    missing = [f"{len(table.rows) - count:,} rows"] if count < len(table.rows) else []
    missing += [f"{table.column_count - columns:,} columns"] if columns < table.column_count else []
    missing += [f"the ends of {cut:,} long cells"] if cut else []
    return ", ".join(missing), left - count * columns


def _apart(spans: Sequence[Covered], rows: int, columns: int) -> list[Covered]:
    """Return the spans that a sheet can have: inside of the table, of several places, none over another."""
    taken: set[tuple[int, int]] = set()
    kept = []
    left = MOST_LOOKED_AT
    for span in spans:
        if span.rows * span.columns < 2 or span.row + span.rows > rows or span.column + span.columns > columns:
            continue
        left -= span.rows * span.columns
        if left < 0:
            break
        places = {
            (row, column)
            for row in range(span.row, span.row + span.rows)
            for column in range(span.column, span.column + span.columns)
        }
        if not places & taken:
            taken |= places
            kept.append(span)
    return kept


def _width(rows: Sequence[Sequence[Any]], place: int) -> int:
    longest = max((len(str(row[place] or "")) for row in rows if place < len(row)), default=0)
    return min(max(longest + 2, NARROWEST), WIDEST)


def _about(name: str, table: ResultTable, missing: str) -> list[str | float | None]:
    box = table.box or (None, None, None, None)
    return [name, table.title, table.page, *box, len(table.rows), table.column_count, table.head, missing]


def _tell(sheet: Worksheet, told: Sequence[Sequence[str | float | None]], style: Any) -> None:
    for place, title in enumerate(ABOUT):
        sheet.write_string(0, place, title, style)
        sheet.set_column(place, place, max(NARROWEST, len(title) + 2))
    for number, facts in enumerate(told, start=1):
        for place, fact in enumerate(facts):
            if isinstance(fact, str):
                sheet.write_string(number, place, fact[:LONGEST_CELL])
            elif fact is not None:
                sheet.write_number(number, place, fact)
    sheet.freeze_panes(1, 0)
