"""Scans and pictures as PDFs that can be searched."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pypdfium2 as pdfium
import pytest

from tasks.names import MAX_NAME_BYTES
from tasks.testing import SAMPLES, FolderContext, run


def words_beside(ctx: FolderContext, result: dict[str, Any], wanted: str) -> tuple[str, list[float]]:
    """Return the text of the searchable PDF's first page, and where `wanted` stands in it, from below, in points."""
    [file] = result["files"]
    name = ctx.file_info(UUID(str(file))).name
    assert name.endswith("-searchable.pdf")
    # A longer one could not be stored.
    assert len(name.encode()) <= MAX_NAME_BYTES
    with pdfium.PdfDocument(ctx.local_path(UUID(str(file)))) as document:
        text = document[0].get_textpage()
        found = text.search(wanted).get_next()
        assert found is not None
        return text.get_text_range(), list(text.get_charbox(found[0], loose=True))


def test_scan_is_stored_with_its_text(ctx: FolderContext) -> None:
    asked = {"searchable": True, "include": ["blocks"]}
    result = run("pdf.extract", ctx, file=str(ctx.add_sample("scan.pdf")), **asked)
    text, (left, bottom, _, top) = words_beside(ctx, result, "Vessel")
    assert "Total paid in cash" in " ".join(text.split())
    [block] = [block for block in result["blocks"] if block["text"].startswith("Vessel")]
    height = result["pages"][0]["height"]
    assert left == pytest.approx(block["box"][0], abs=3)
    assert block["box"][1] - 3 <= height - top < height - bottom <= block["box"][3] + 3


def test_picture_is_stored_with_its_text(ctx: FolderContext) -> None:
    photo = ctx.add("照" * 83 + ".jpg", (SAMPLES / "photo.jpg").read_bytes())
    result = run("image.analyze", ctx, file=str(photo), searchable=True)
    text, (left, bottom, _, top) = words_beside(ctx, result, "Ferry")
    assert "Departs daily 08:45" in " ".join(text.split())
    [box] = [box for box in result["boxes"] if box["level"] == "line" and box["text"].startswith("Ferry")]
    size, scale = result["size"], 842 / max(result["size"].values())
    assert left == pytest.approx(box["left"] * scale, abs=3)
    middle = size["height"] * scale - (top + bottom) / 2
    assert box["top"] * scale < middle < (box["top"] + box["height"]) * scale


def test_file_that_has_its_text_is_not_copied(ctx: FolderContext) -> None:
    result = run("pdf.extract", ctx, file=str(ctx.add_sample("report.pdf")), searchable=True)
    assert result["files"] == []
    assert "There is no searchable PDF. No text was read by OCR." in result["warnings"]
