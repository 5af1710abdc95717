"""pdf.extract end to end, on real files with the real engines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks.errors import CancelRequested, GiveUp, InputTooLarge, InvalidInput, UnreadableFile
from tasks.handlers import pdf_extract
from tasks.registry import get_type
from tasks.testing import FolderContext, run
from tests.engines import pdfs
from tests.handlers.test_ocr_options import small_scan
from tests.samples.make import SALES, STAFF, draw_page


def test_a_report_gives_text_tables_and_metadata(ctx: FolderContext) -> None:
    result = run("pdf.extract", ctx, file=str(ctx.add_sample("report.pdf")))

    assert result["page_count"] == 3
    assert [table["rows"] for table in result["tables"]] == [SALES, STAFF]
    assert [table["page"] for table in result["tables"]] == [1, 2]
    assert result["metadata"]["title"] == "Annual report"
    assert result["pages"][2]["text"].startswith("Outlook")
    assert "Ingrid Solheim" in result["text"]
    assert result["engine"]["name"] == "pypdfium2 + pdfplumber"
    assert ctx.stages[1:] == [
        (0.0, "reading page 1 of 3"),
        (1 / 3, "reading page 2 of 3"),
        (2 / 3, "reading page 3 of 3"),
    ]


def test_a_scan_names_ocr_as_source_and_engine(ctx: FolderContext) -> None:
    result = run("pdf.extract", ctx, file=str(ctx.add_sample("scan.pdf")))

    assert "Total paid in cash: 266.50" in result["text"]
    assert result["pages"][0]["source"] == "ocr"
    assert result["pages"][0]["confidence"] > 0.9
    assert "tesseract" in result["engine"]["name"]


def test_only_the_chosen_pages_are_read(ctx: FolderContext) -> None:
    result = run("pdf.extract", ctx, file=str(ctx.add_sample("report.pdf")), pages="3, 1")

    assert [page["number"] for page in result["pages"]] == [1, 3]


@pytest.mark.parametrize("pages", ["0", "3-1", "one", "1;2", "1--2", ","])
def test_a_wrong_choice_of_pages_is_refused_before_the_task_runs(pages: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        get_type("pdf.extract").validate({"file": "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c001", "pages": pages})

    assert caught.value.errors[0]["pointer"] == "/input/pages"


def test_pages_beyond_the_end_are_named(ctx: FolderContext) -> None:
    with pytest.raises(GiveUp, match="3 pages"):
        run("pdf.extract", ctx, file=str(ctx.add_sample("report.pdf")), pages="7-9")


@pytest.mark.parametrize("content", [b"%PDF-1.7\nbroken", b"\x00\x01\x02"])
def test_a_broken_file_fails_with_a_readable_message(ctx: FolderContext, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="not a readable PDF"):
        run("pdf.extract", ctx, file=str(ctx.add("broken.pdf", content)))


def test_too_many_pages_are_refused_with_the_way_out(ctx: FolderContext, tmp_path: Path) -> None:
    canvas = pdfs.Canvas(str(tmp_path / "long.pdf"))
    for _ in range(pdf_extract.MAX_PAGES + 1):
        canvas.showPage()
    canvas.save()
    file = str(ctx.add("long.pdf", (tmp_path / "long.pdf").read_bytes()))

    with pytest.raises(InputTooLarge, match="pages"):
        run("pdf.extract", ctx, file=file)
    assert len(run("pdf.extract", ctx, file=file, pages="500-")["pages"]) == 2


def test_scans_beyond_those_that_one_task_reads_are_told_and_the_rest_is_kept(
    ctx: FolderContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pdf_extract, "MAX_OCR_PAGES", 1)
    page = draw_page(["The berth is paid for until May."], size=30, extent=(700, 200))
    scan = small_scan(tmp_path / "scan.pdf", page, page, page)
    result = run("pdf.extract", ctx, file=str(ctx.add("scan.pdf", scan.read_bytes())), engine="fast")

    assert [bool(page["text"]) for page in result["pages"]] == [True, False, False]
    told = (
        "Only the first 1 scanned pages were read by OCR; 2 others have no text. Choose them with `pages`, from 2 on."
    )
    assert told in result["warnings"]


def test_it_stops_between_pages_when_cancelled(tmp_path: Path) -> None:
    def cancel() -> None:
        raise CancelRequested

    ctx = FolderContext(tmp_path, check=cancel)
    with pytest.raises(CancelRequested):
        run("pdf.extract", ctx, file=str(ctx.add_sample("report.pdf")))


def test_the_result_is_json_that_postgres_can_store(ctx: FolderContext, tmp_path: Path) -> None:
    canvas = pdfs.Canvas(str(tmp_path / "nul.pdf"))
    canvas.setTitle("a\0b")
    canvas.drawString(72, 700, "nothing\0special")
    canvas.save()

    result = run("pdf.extract", ctx, file=str(ctx.add("nul.pdf", (tmp_path / "nul.pdf").read_bytes())))
    assert "\\u0000" not in json.dumps(result, allow_nan=False)
