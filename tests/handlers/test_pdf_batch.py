"""pdf.batch: a pdf.extract task a file, one summary; what cannot be read is named and fails nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

import pytest

from tasks.context import Child, ChildTask
from tasks.errors import InvalidInput, TaskError
from tasks.registry import get_type
from tests.handlers.context import FolderContext, run


class ChildrenStarted(Exception):
    """The attempt is over until its children have ended."""


class ContextWithChildren(FolderContext):
    """Runs the children that a handler starts, each in the same folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ended: list[Child] = []

    def children(self) -> list[Child]:
        return list(self.ended)

    def start_children(self, children: Sequence[ChildTask]) -> NoReturn:
        self.ended += [self._run(child) for child in children]
        raise ChildrenStarted

    def _run(self, child: ChildTask) -> Child:
        try:
            result, error = run(child.type, self, **child.input), None
        except TaskError as failure:
            result, error = None, {"code": failure.code, "message": failure.message}
        status = "failed" if error else "succeeded"
        return Child(uuid4(), child.type, child.key, status, done=True, result=result, error=error, progress=1.0)


def run_batch(ctx: ContextWithChildren, **data: Any) -> dict[str, Any]:
    with pytest.raises(ChildrenStarted):
        run("pdf.batch", ctx, **data)
    return run("pdf.batch", ctx, **data)


@pytest.fixture
def batch(tmp_path: Path) -> ContextWithChildren:
    folder = tmp_path / "files"
    folder.mkdir()
    return ContextWithChildren(folder)


def test_files_are_summed_up_and_failures_named(batch: ContextWithChildren) -> None:
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


def test_materials_are_summed_up_each(batch: ContextWithChildren) -> None:
    report, handbook = (str(batch.add_sample(name)) for name in ("report.pdf", "handbook.pdf"))

    result = run_batch(batch, materials={"reports": [report], "all": [report, handbook]}, pages="1")
    summed = {one["name"]: (one["file_count"], one["pages_read"], one["tables"]) for one in result["materials"]}
    assert summed == {"reports": (1, 1, 1), "all": (2, 2, 1)}
    assert result["materials"][1]["members"] == [report, handbook]
    assert result["totals"]["file_count"] == 2


def test_after_a_retry_only_what_is_missing_is_started_again(batch: ContextWithChildren) -> None:
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
