"""pdf.batch: a pdf.extract task a file, one summary; what cannot be read is named and fails nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tasks.errors import InvalidInput
from tasks.registry import get_type
from tasks.testing import ChildrenStarted, FolderContext, run


def run_batch(ctx: FolderContext, **data: Any) -> dict[str, Any]:
    with pytest.raises(ChildrenStarted):
        run("pdf.batch", ctx, **data)
    return run("pdf.batch", ctx, **data)


@pytest.fixture
def batch(tmp_path: Path) -> FolderContext:
    folder = tmp_path / "files"
    folder.mkdir()
    return FolderContext(folder)


def test_files_are_summed_up_and_failures_named(batch: FolderContext) -> None:
    good, scan = (str(batch.add_sample(name)) for name in ("report.pdf", "scan.pdf"))
    bad = str(batch.add("bad.pdf", b"%PDF-1.7\nbroken"))

    result = run_batch(batch, files=[good, bad, scan, good])
    assert [(one["name"], one["status"], one["pages_read"], one["tables"]) for one in result["files"]] == [
        ("report.pdf", "succeeded", 3, 2),
        ("bad.pdf", "failed", 0, 0),
        ("scan.pdf", "succeeded", 1, 0),
    ]
    assert result["files"][2]["scanned_pages"] == 1
    assert "not a readable PDF" in result["files"][1]["error"]
    assert result["totals"]["succeeded"] == 2
    assert result["totals"]["characters"] == sum(one["characters"] for one in result["files"]) > 1000
    assert result["text"].splitlines()[0].startswith("2 of 3 files read: 4 pages")
    assert result["text"].splitlines()[1].startswith("bad.pdf: ")
    assert result["engine"]["name"] == "pypdfium2 + pdfplumber"
    assert [child.key for child in batch.ended] == [good, bad, scan]


def test_materials_are_summed_up_each(batch: FolderContext) -> None:
    report, handbook = (str(batch.add_sample(name)) for name in ("report.pdf", "handbook.pdf"))

    result = run_batch(batch, materials={"reports": [report], "all": [report, handbook]}, pages="1")
    summed = {one["name"]: (one["file_count"], one["pages_read"], one["tables"]) for one in result["materials"]}
    assert summed == {"reports": (1, 1, 1), "all": (2, 2, 1)}
    assert result["materials"][1]["members"] == [report, handbook]
    assert result["totals"]["file_count"] == 2


def test_after_a_retry_only_what_is_missing_is_started_again(batch: FolderContext) -> None:
    files = [str(batch.add_sample(name)) for name in ("report.pdf", "handbook.pdf")]
    with pytest.raises(ChildrenStarted):
        run("pdf.batch", batch, files=files)
    first = batch.ended.pop()

    result = run_batch(batch, files=files)
    assert [child.key for child in batch.ended] == [files[0], first.key]
    assert batch.ended[1].id != first.id
    assert result["totals"]["succeeded"] == 2


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"files": []},
        {"files": [str(UUID(int=1))], "materials": {"a": [str(UUID(int=1))]}},
        {"materials": {"empty": []}},
        {"materials": {" ": [str(UUID(int=1))]}},
        {"files": [str(UUID(int=1))], "pages": "3-1"},
        {"materials": {"many": [str(UUID(int=number)) for number in range(1001)]}},
    ],
)
def test_wrong_choices_of_files_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        get_type("pdf.batch").validate(data)
