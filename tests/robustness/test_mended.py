"""Files that once lost what they hold without a word: each kind is read, or told."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tasks.errors import TaskError
from tasks.testing import FolderContext, run
from tests.robustness.cases import Case
from tests.robustness.corpus import make_corpus
from tests.robustness.verdict import faults_of

MENDED = (
    "blank.txt", "renamed.pdf", "named.docx", "form.html", "drawn.html", "framed.html", "subject.eml",
    "recipients.eml", "thousands.zip", "in-itself.zip", "empty.zip", "huge-header.tar", "links.tar",
    "long-chart.docx", "changed.docx", "header.xlsx", "lost-sheet.xlsx", "lost-strings.xlsx", "dates.xlsx",
    "dates-1904.xlsx", "note.pdf", "free-text.pdf", "form.pdf", "attached.pdf", "scan.pdf", "no-end.pdf",
    "content-cut.pdf", "header.odt", "content-flipped.pdf", "one-line.pdf", "page.ppm", "fax.tif", "animated.gif",
)  # fmt: skip


@cache
def corpus() -> dict[str, Case]:
    """The cases by their names without the numbers in front."""
    return {case.name.partition("-")[2]: case for case in make_corpus(1)}


@pytest.mark.parametrize("name", MENDED)
def test_what_was_once_lost_is_read_or_told(name: str, tmp_path: Path) -> None:
    case, ctx = corpus()[name], FolderContext(tmp_path)
    result = error = None
    try:
        result = run(case.type, ctx, file=str(ctx.add(case.name, case.data)), thumbnail=False)
    except TaskError as failed:
        error = {"code": failed.code, "message": failed.message}
    assert faults_of(case, result, error) == []
