"""What the engines get right has not become less: a cheap slice of `make quality`; and its report is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import crosscheck, figures, ocr, report, tables
from tests.quality.figures import Figure
from tests.quality.pages import CONDITIONS
from tests.quality.texts import HELD

ROOT = Path(__file__).parents[2]
COMMITTED = figures.read(ROOT / "tests" / "quality" / "committed.json")


def fresh(seen: list[Figure]) -> list[str]:
    # What else runs here at the same time is no cost of this.
    right = [figure for figure in seen if figure.part not in figures.COSTS]
    assert right
    assert {figure.key for figure in right} <= {figure.key for figure in COMMITTED}
    return figures.regressions(right, COMMITTED)


def test_pages_are_read_as_well_as_the_committed_figures_say() -> None:
    seen = [*ocr.measure(["English"], ["clean", "skew"], with_engines=False)]
    seen += ocr.measure(["Mixed table"], ["old scan"], with_engines=False)

    assert fresh(seen) == []


def test_tables_and_differences_are_found_as_the_committed_figures_say() -> None:
    assert fresh([*tables.measure(["ruled", "striped"]), *crosscheck.measure()]) == []


def test_the_committed_figures_are_of_all_that_is_measured_and_meet_the_targets() -> None:
    value = {figure.key: figure.value for figure in COMMITTED}
    for script in HELD:
        for condition in CONDITIONS:
            assert {("ocr", f"{script}, {condition}", by) for by in ("Tesseract", "PP-OCR", "auto")} <= value.keys()
    least = {"English, photo": 0.99, "English, skew": 0.99, "English, old scan": 0.95}
    least |= {"Chinese, clean": 0.98, "Chinese, photo": 0.95, "Chinese, skew": 0.93, "Mixed table, clean": 0.95}
    for case, wanted in least.items():
        assert value["ocr", case, "auto"] >= wanted, case
    for language in ("English", "German", "Chinese"):
        assert value["crosscheck", language, "held"] == 1.0
        assert value["false", language, "held"] == 0.0


def test_the_page_has_the_committed_figures() -> None:
    assert report.table_in(ROOT / "docs" / "quality.md") == report.markdown(COMMITTED)


@pytest.mark.parametrize(
    ("now", "before", "is_worse"),
    [
        (Figure("ocr", "a", "auto", 0.979), 0.99, True),
        (Figure("ocr", "a", "auto", 0.981), 0.99, False),
        (Figure("speech", "a", "auto", 0.3), 0.2, True),
        (Figure("speech", "a", "auto", None), 0.2, True),
        (Figure("speech", "a", "auto", None), None, False),
        (Figure("false", "a", "held", 1.0), 0.0, True),
        (Figure("memory", "a", "auto", 900.0), 300.0, True),
        (Figure("seconds", "a", "auto", 90.0), 3.0, False),
    ],
)
def test_a_figure_is_worse_beyond_its_margin(now: Figure, before: float | None, is_worse: bool) -> None:
    committed = [Figure(now.part, now.case, now.by, before)]

    assert bool(figures.regressions([now], committed)) == is_worse


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99, "figures": []}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"other\.json"):
        figures.read(path)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    seen = [Figure("ocr", "中文, clean", "auto", 0.5), Figure("speech", "pt, boat", "auto", None)]
    figures.write(seen, tmp_path / "quality.json", {})

    assert figures.read(tmp_path / "quality.json") == seen
