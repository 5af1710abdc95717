"""A result's tables as a workbook and all of it as Markdown: nothing runs, nothing is lost without a word."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tasks.engines.any_file import read_document
from tasks.exports import workbook
from tasks.exports.markdown import markdown_in
from tasks.exports.tables import Covered, ResultTable, tables_in
from tasks.exports.workbook import XLSX, write_workbook

FORMULAS = [
    "=1+1",
    "+1",
    "-1+cmd|'/C calc'!A0",
    "@SUM(A1)",
    '=HYPERLINK("http://a.example")',
    "https://b.example",
    "\t=1",
]
RESULT: dict[str, Any] = {
    "text": "Prices\n\nItem Price\nLamp 38.50\n\nAll of May.\n\nOdd | 1\n",
    "tables": [
        {"page": 2, "rows": [["Item", "Price"], ["Lamp", "38.50"]], "head": 1, "box": [10.0, 20.5, 110.0, 60.0]},
        {
            "page": 3,
            "rows": [["Fees", ""], ["0012", "-3.5"]],
            "spans": [{"row": 0, "column": 0, "rows": 1, "columns": 2}],
        },
    ],
}


def parts_of(book: bytes) -> dict[str, str]:
    with zipfile.ZipFile(BytesIO(book)) as parts:
        return {name: parts.read(name).decode() for name in parts.namelist()}


def read_again(book: bytes, folder: Path) -> dict[str, list[list[str]]]:
    path = folder / "tables.xlsx"
    path.write_bytes(book)
    return {
        page.title: page.tables[0].rows
        for page in read_document(path, XLSX, most_pages=9, most_scans=0, check=lambda: None).pages
        if page.tables
    }


def test_no_cell_of_a_workbook_is_a_formula_a_number_or_a_link(tmp_path: Path) -> None:
    book = write_workbook([ResultTable(1, "Table 1", [[text, "1204"] for text in FORMULAS])])

    sheet = parts_of(book)["xl/worksheets/sheet1.xml"]
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert re.findall(r'<c [^>]*t="(\w+)"', sheet) == ["s"] * 2 * len(FORMULAS)
    assert [row[0].strip() for row in read_again(book, tmp_path)["Table 1"]] == [text.strip() for text in FORMULAS]


def test_a_workbook_keeps_heads_spans_pages_and_boxes(tmp_path: Path) -> None:
    book = write_workbook(tables_in(RESULT))

    read, parts = read_again(book, tmp_path), parts_of(book)
    assert read["Table 1"] == [["Item", "Price"], ["Lamp", "38.50"]]
    assert 'ySplit="1"' in parts["xl/worksheets/sheet1.xml"]
    assert '<mergeCell ref="A1:B1"/>' in parts["xl/worksheets/sheet2.xml"]
    assert read["Table 2"][1] == ["0012", "-3.5"]
    assert read["About"][1][:9] == ["Table 1", "Table 1", "2", "10", "20.5", "110", "60", "2", "2"]


def test_what_a_workbook_has_no_room_for_is_told_in_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(workbook, "MOST_CELLS", 5)
    tables = [ResultTable(1, "Long", [["a" * 40_000]] * 3), ResultTable(2, "Wide", [["a", "b", "c"]] * 2)]
    told = read_again(write_workbook(tables), tmp_path)["About"]

    assert [row[-1] for row in told] == ["Left out", "the ends of 3 long cells", "2 rows"]


def test_spans_that_lie_over_each_other_or_outside_do_no_harm() -> None:
    spans = (Covered(0, 0, 2, 2), Covered(1, 1, 1, 2), Covered(0, 2, 9, 1), Covered(5, 5, 2, 2), Covered(0, 2, 1, 1))
    book = write_workbook([ResultTable(1, "Odd", [["a", "b", "c"]] * 2, spans=spans)])

    assert re.findall(r'<mergeCell ref="([^"]+)"', parts_of(book)["xl/worksheets/sheet1.xml"]) == ["A1:B2"]


def test_spans_over_each_other_are_looked_at_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_LOOKED_AT", 4 * 10 + 1)
    spans = (*[Covered(0, 0, 2, 2)] * 10, Covered(0, 2, 2, 1))
    book = write_workbook([ResultTable(1, "Odd", [["a", "b", "c"]] * 2, spans=spans)])

    sheet = parts_of(book)["xl/worksheets/sheet1.xml"]
    assert re.findall(r'<mergeCell ref="([^"]+)"', sheet) == ["A1:B2"]
    assert sheet.count('t="s"') == 6


@pytest.mark.parametrize(
    "result", [None, [], "text", {"tables": 3}, {"tables": [None, 1, {"rows": [1]}]}, {"pages": [{}]}]
)
def test_a_result_of_another_shape_has_no_tables(result: Any) -> None:
    assert tables_in(result) == []
    assert markdown_in(result) is None


def test_a_markdown_has_tables_where_their_rows_stood_and_the_others_behind() -> None:
    assert markdown_in(RESULT) == (
        "Prices\n\n| Item | Price |\n| --- | --- |\n| Lamp | 38.50 |\n\nAll of May.\n\nOdd | 1\n\n"
        "|  |  |\n| --- | --- |\n| Fees |  |\n| 0012 | -3.5 |"
    )


def test_the_markdown_of_pages_has_each_table_on_its_page() -> None:
    pages = [{"number": 1, "text": "First"}, {"number": 2, "text": "a 1\nb 2\nSecond"}]
    tables = [{"page": 2, "rows": [["a", "1"], ["b", "2"]]}, {"page": 9, "rows": [["c", "3"]]}]
    table = "|  |  |\n| --- | --- |\n| {} |"

    assert markdown_in({"text": "First\n\n…", "pages": pages, "tables": tables}) == "\n\n".join(
        ["First", table.format("a | 1 |\n| b | 2") + "\n\nSecond", table.format("c | 3")]
    )


def test_a_markdown_that_the_engine_wrote_comes_first() -> None:
    assert markdown_in({"markdown": "# Prices", "text": "Prices"}) == "# Prices"
