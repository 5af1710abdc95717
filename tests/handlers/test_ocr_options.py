"""The options of types that read pictures and scans: language and engine; what results say of both."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tasks.errors import InvalidInput
from tasks.registry import get_type
from tasks.testing import FolderContext, run
from tests.engines import chinese_pages
from tests.engines.scores import characters_right
from tests.engines.test_scan_tables import page_with_table
from tests.samples.make import draw_page

PAGE = chinese_pages.write(chinese_pages.CONTRACT[:4])
READERS = ["image.analyze", "file.process", "pdf.extract", "pdf.batch"]


def png(page: Image.Image) -> bytes:
    stored = io.BytesIO()
    page.save(stored, "PNG")
    return stored.getvalue()


def small_scan(path: Path, *pages: Image.Image) -> Path:
    """A PDF of pictures at 200 dots per inch."""
    canvas = Canvas(str(path), invariant=1)
    for page in pages:
        extent = (page.width * 0.36, page.height * 0.36)
        canvas.setPageSize(extent)
        canvas.drawImage(ImageReader(page), 0, 0, *extent)
        canvas.showPage()
    canvas.save()
    return path


def same(read: str, lines: list[str]) -> bool:
    return characters_right("".join(read.split()), "".join("".join(lines).split())) > 0.97


def test_a_chinese_picture_says_language_engine_and_confidence(ctx: FolderContext) -> None:
    result = run("image.analyze", ctx, file=str(ctx.add("合同.png", png(PAGE), "image/png")))

    assert same(result["text"], chinese_pages.CONTRACT[:4])
    assert (result["language"], result["warnings"]) == ("zh", [])
    assert result["confidence"] > 0.95
    assert result["engine"]["name"].startswith("PP-OCRv6 small")
    assert result["engine"]["sha256"]


def test_a_scan_of_two_languages_says_so_page_by_page(ctx: FolderContext, tmp_path: Path) -> None:
    english = draw_page(["The berth is paid for until the ninth of May."], size=30, extent=(900, 500))
    scan = small_scan(tmp_path / "scan.pdf", PAGE, english)
    result = run("pdf.extract", ctx, file=str(ctx.add("scan.pdf", scan.read_bytes(), "application/pdf")))

    first, second = result["pages"]
    assert (first["engine"], first["language"], first["source"]) == ("pp-ocr", "zh", "ocr")
    assert (second["engine"], second["language"], second["source"]) == ("tesseract", "en", "ocr")
    assert "PP-OCRv6 small" in result["engine"]["name"]
    assert "tesseract" in result["engine"]["name"]


def test_a_scanned_table_is_in_the_tables_with_its_page_and_box(ctx: FolderContext, tmp_path: Path) -> None:
    scan = small_scan(tmp_path / "scan.pdf", page_with_table(chinese_pages.TABLE))
    result = run("pdf.extract", ctx, file=str(ctx.add("scan.pdf", scan.read_bytes(), "application/pdf")))

    [table] = result["tables"]
    assert [row[1] for row in table["rows"]][1:] == ["12", "40", "3"]
    assert (table["page"], table["head"]) == (1, 1)
    assert 0 < table["box"][0] < table["box"][2] < result["pages"][0]["width"]


def test_a_page_without_readable_text_says_why(ctx: FolderContext) -> None:
    blank = ctx.add("blank.png", png(Image.new("L", (300, 200), 255)), "image/png")
    for kind in ("image.analyze", "file.process"):
        result = run(kind, ctx, file=str(blank), **({"thumbnail": False} if kind == "file.process" else {}))
        assert result["text"] == ""
        assert "The picture is blank." in result["warnings"]
        assert "no text" in {notice["kind"] for notice in result["notices"]}


@pytest.mark.parametrize("name", READERS)
def test_a_language_that_is_not_here_is_refused_with_those_that_are(name: str) -> None:
    kind = get_type(name)
    with pytest.raises(InvalidInput, match=r"'tlh' cannot be read here; there are: .*\bde\b.*\bzh\b") as caught:
        kind.validate({**kind.example, "language": "tlh"})
    assert caught.value.errors[0].pointer == "/input/language"
    assert kind.validate({**kind.example, "language": "de, zh-CN", "engine": "accurate"})


@pytest.mark.parametrize("name", READERS)
def test_a_type_says_which_engines_are_here(name: str) -> None:
    detail = get_type(name).readiness().engine

    assert "Tesseract 5" in detail
    assert "PP-OCRv6 small" in detail
