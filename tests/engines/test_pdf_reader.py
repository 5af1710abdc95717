"""PDFs that nobody has seen before: tables of several kinds, columns, turned pages, scans, broken files."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Literal

import pytest
from reportlab.lib import colors

from tasks.engines.document import Page
from tasks.engines.pdf_reader import open_reader
from tasks.errors import UnreadableFile
from tests.engines import pdfs
from tests.engines.scores import characters_right, show
from tests.samples.make import SALES, SCAN, STAFF, add_noise, draw_page

SAMPLES = Path(__file__).parent.parent / "samples"
PLAIN = [["Item", "Count", "Note"], ["Buoy", "12", "red"], ["Anchor", "", "10 kg"], ["Rope", "40", ""]]


def read(path: Path, *, ocr: Literal["auto", "always", "never"] = "auto") -> list[Page]:
    with open_reader(path) as reader:
        return [reader.read_page(number, use_ocr=ocr, check=lambda: None) for number in range(1, reader.page_count + 1)]


def rows_of(path: Path) -> list[list[list[str]]]:
    return [table.rows for page in read(path) for table in page.tables]


def test_every_cell_of_the_samples_tables_is_read() -> None:
    assert rows_of(SAMPLES / "report.pdf") == [SALES, STAFF]


@pytest.mark.parametrize(
    ("font", "size"), [("Helvetica", 10), ("Times-Roman", 8), ("Courier-Bold", 14), ("Times-Italic", 6)]
)
def test_every_cell_is_read_in_any_font_and_empty_cells_stay_in_place(tmp_path: Path, font: str, size: int) -> None:
    path = pdfs.table_pdf(tmp_path / "table.pdf", PLAIN, font=font, size=size)

    assert rows_of(path) == [PLAIN]


def test_merged_cells_have_their_text_once_in_the_first_place(tmp_path: Path) -> None:
    rows = [["Year", "Visitors", ""], ["", "Adults", "Children"], ["2023", "410", "96"], ["2024", "", "120"]]
    path = pdfs.table_pdf(tmp_path / "merged.pdf", rows, pdfs.GRID, ("SPAN", (1, 0), (2, 0)), ("SPAN", (0, 0), (0, 1)))

    assert rows_of(path) == [rows]


def test_a_cell_of_several_lines_is_one_text(tmp_path: Path) -> None:
    long = "This remark is much longer than its column is wide, so that it runs over several lines of the cell"
    rows = [["Key", "Remark"], ["A-1", pdfs.wrapped_cell(long)], ["A-2", "short"]]
    path = pdfs.build(
        tmp_path / "wrapped.pdf", pdfs.Table(rows, style=pdfs.TableStyle([pdfs.GRID]), colWidths=[60, 140])
    )

    assert rows_of(path) == [[["Key", "Remark"], ["A-1", long], ["A-2", "short"]]]


def test_two_tables_on_a_page_stay_two(tmp_path: Path) -> None:
    style = pdfs.TableStyle([pdfs.GRID])
    tables = [pdfs.Table(rows, style=style) for rows in (PLAIN, STAFF)]
    path = pdfs.build(tmp_path / "two.pdf", tables[0], pdfs.Paragraph("between", pdfs.STYLES["BodyText"]), tables[1])

    assert rows_of(path) == [PLAIN, STAFF]


def test_a_table_with_rules_between_rows_only_is_cut_into_columns(tmp_path: Path) -> None:
    rows = [["Metal", "Melts at", "Density"], ["Copper", "1085 C", "8.96"], ["Zinc", "420 C", "7.14"]]
    rule = [("LINEABOVE", (0, 0), (-1, 0), 1, colors.black), ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black)]
    path = pdfs.table_pdf(tmp_path / "rules.pdf", rows, *rule, ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black))

    assert rows_of(path) == [rows]


def test_a_table_striped_in_colour_is_cut_into_columns(tmp_path: Path) -> None:
    rows = [["Metal", "Melts at", "Density"], ["Copper", "1085 C", "8.96"], ["Zinc", "420 C", "7.14"]]
    stripes = ("ROWBACKGROUNDS", (0, 0), (-1, -1), [colors.lightgrey, colors.whitesmoke])

    assert rows_of(pdfs.table_pdf(tmp_path / "stripes.pdf", rows, stripes)) == [rows]


def test_a_frame_around_the_page_is_no_table(tmp_path: Path) -> None:
    canvas = pdfs.Canvas(str(tmp_path / "frame.pdf"), pagesize=pdfs.A4)
    canvas.rect(20, 20, 555, 800)
    canvas.drawString(72, 700, "Only a framed sentence.")
    canvas.save()

    [page] = read(tmp_path / "frame.pdf")
    assert (page.tables, page.text) == ([], "Only a framed sentence.")


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("size", [8, 10, 11.5])
def test_columns_are_read_one_after_the_other(tmp_path: Path, interleaved: bool, size: float) -> None:
    [page] = read(pdfs.columns_pdf(tmp_path / "columns.pdf", interleaved=interleaved, size=size))

    title = "The salt marshes of the northern coast and their birds"
    assert " ".join(page.text.split()) == f"{title} {pdfs.LEFT} {pdfs.RIGHT}"


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_tables_are_read_on_pages_shown_turned(tmp_path: Path, degrees: int) -> None:
    upright = pdfs.table_pdf(tmp_path / "upright.pdf", PLAIN)

    [page] = read(pdfs.turned_pdf(tmp_path / "turned.pdf", upright, degrees))
    assert page.width == pytest.approx(595 if degrees == 180 else 842, abs=1)
    assert page.text.startswith("The table below was counted by hand.")
    assert [table.rows for table in page.tables] == [PLAIN]


def test_text_up_the_margin_does_not_disturb_the_page(tmp_path: Path) -> None:
    canvas = pdfs.Canvas(str(tmp_path / "margin.pdf"), pagesize=pdfs.A4)
    canvas.drawString(72, 700, "The body of the page comes first.")
    canvas.rotate(90)
    canvas.drawString(300, -560, "draft of May")
    canvas.save()

    assert read(tmp_path / "margin.pdf")[0].text == "The body of the page comes first.\n\ndraft of May"


def test_the_text_of_a_table_is_read_row_by_row(tmp_path: Path) -> None:
    [page] = read(pdfs.table_pdf(tmp_path / "rows.pdf", PLAIN))

    assert page.text.splitlines()[-4:] == ["Item Count Note", "Buoy 12 red", "Anchor 10 kg", "Rope 40"]
    assert "Buoy" not in page.prose


def test_scanned_pages_are_read_by_ocr(tmp_path: Path) -> None:
    pages = [draw_page(SCAN, size=26), add_noise(draw_page(SCAN, size=24, font="VeraBd.ttf"), deviation=20)]
    first, second = read(pdfs.scanned_pdf(tmp_path / "scan.pdf", *pages))

    scores = [characters_right(page.text, "\n".join(SCAN)) for page in (first, second)]
    show(f"scanned pages: clean {scores[0]:.3f}, noisy {scores[1]:.3f}")
    assert (first.source, second.source) == ("ocr", "ocr")
    assert scores[0] >= 0.99
    assert scores[1] >= 0.95


def test_the_sample_scan_is_read() -> None:
    [page] = read(SAMPLES / "scan.pdf")

    assert page.source == "ocr"
    assert characters_right(page.text, "\n".join(SCAN)) >= 0.99


def test_a_scan_with_a_stamp_of_real_text_is_still_read_by_ocr(tmp_path: Path) -> None:
    [page] = read(pdfs.scanned_pdf(tmp_path / "stamped.pdf", draw_page(SCAN), title="Copy 4"))

    assert page.source == "ocr"
    assert "Sea Sparrow" in page.text


def test_ocr_is_done_only_as_chosen(tmp_path: Path) -> None:
    scan = pdfs.scanned_pdf(tmp_path / "scan.pdf", draw_page(SCAN))
    text = pdfs.table_pdf(tmp_path / "text.pdf", PLAIN)

    assert read(scan, ocr="never")[0].text == ""
    assert [page.source for page in read(text, ocr="always")] == ["ocr"]
    assert [page.source for page in read(text, ocr="auto")] == ["text"]


def test_an_empty_page_is_empty(tmp_path: Path) -> None:
    canvas = pdfs.Canvas(str(tmp_path / "empty.pdf"))
    canvas.showPage()
    canvas.save()

    assert [(page.text, page.tables) for page in read(tmp_path / "empty.pdf")] == [("", [])]


def test_a_pdf_protected_by_a_password_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="password"):
        read(pdfs.encrypted_pdf(tmp_path / "locked.pdf", password="secret"))


def test_a_pdf_that_needs_no_password_to_be_read_is_read(tmp_path: Path) -> None:
    assert read(pdfs.encrypted_pdf(tmp_path / "owned.pdf", password=""))[0].text == "Known to the few"


@pytest.mark.parametrize("content", [b"", b"no pdf at all", b"%PDF-1.4\n%garbage"])
def test_a_file_that_is_no_pdf_is_named_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.pdf").write_bytes(content)

    with pytest.raises(UnreadableFile):
        read(tmp_path / "broken.pdf")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_pdf_cut_off_is_read_as_far_as_it_goes_or_named_unreadable(tmp_path: Path, share: float) -> None:
    whole = (SAMPLES / "report.pdf").read_bytes()
    (tmp_path / "cut.pdf").write_bytes(whole[: int(len(whole) * share)])

    with contextlib.suppress(UnreadableFile):
        assert read(tmp_path / "cut.pdf")
