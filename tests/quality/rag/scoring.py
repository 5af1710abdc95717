"""Asks all questions over their documents and counts what was right: run it as a program to see each fault.

.venv/bin/python -m portal.launch.with_database test -- .venv/bin/python -m tests.quality.rag.scoring
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from tests.engines.scores import show
from tests.quality.rag import (
    chinese_further,
    chinese_held,
    chinese_more,
    chinese_tuning,
    english_further,
    english_held,
    english_more,
    english_tuning,
)
from tests.quality.rag.papers import Paper

SETS = {
    "english tuning": [*english_tuning.PAPERS, *english_more.PAPERS, *english_further.PAPERS],
    "chinese tuning": [*chinese_tuning.PAPERS, *chinese_more.PAPERS, *chinese_further.PAPERS],
    "english": english_held.PAPERS,
    "chinese": chinese_held.PAPERS,
}
# More than that is no answer but a page to be read.
LONGEST_ANSWER = 240


def score(sets: Iterable[str] = SETS, *, together: bool = True) -> dict[str, float]:
    """Return shares from 0 to 1 for each set, and what a question costs.

    `together` asks over all documents of a set at once, too.

    `… right`: of the questions with an answer; `… off the point`: answered with something else, of the same;
    `… declined`: of those without an answer; `… among all`: right when all documents of the set are searched at once.
    """
    figures: dict[str, float] = {}
    for name in sets:
        figures |= _score_set(name, SETS[name], together=together)
    return figures


def _score_set(name: str, papers: list[Paper], *, together: bool) -> dict[str, float]:
    from tasks.testing import FolderContext

    with tempfile.TemporaryDirectory() as folder:
        ctx = FolderContext(Path(folder))
        files = {paper.name: str(ctx.add(paper.name, paper.file())) for paper in papers}
        counts: Counter[str] = Counter()
        seconds = 0.0
        for paper in papers:
            for question, expected in paper.questions.items():
                before = _processor_seconds()
                outcome = _ask(ctx, question, expected, [files[paper.name]])
                seconds += _processor_seconds() - before
                counts[outcome] += 1
                if together and expected is not None:
                    counts["right among all"] += _ask(ctx, question, expected, list(files.values())) == "right"
    asked = counts["right"] + counts["off the point"] + counts["wrongly declined"]
    without = counts["declined"] + counts["made up"]
    figures = {
        f"{name} right": counts["right"] / asked,
        f"{name} off the point": counts["off the point"] / asked,
        f"{name} declined": counts["declined"] / without,
        f"{name} processor seconds a question": seconds / (asked + without),
    }
    return figures | ({f"{name} right among all": counts["right among all"] / asked} if together else {})


def _ask(ctx: Any, question: str, expected: str | None, files: list[str]) -> str:
    from tasks.testing import run

    result = run("rag.query", ctx, question=question, files=files)
    outcome = outcome_of(result["answer"], expected)
    if outcome not in {"right", "declined"}:
        show(f"{outcome} ({len(files)}): {question!r} gave {result['answer']!r} {result['reason'] or ''}")
    return outcome


def outcome_of(answer: str | None, expected: str | None) -> str:
    """Return what became of a question.

    >>> outcome_of("Price: 143.50", "3.50"), outcome_of("It costs 3.50.", "3.50"), outcome_of(None, None)
    ('off the point', 'right', 'declined')
    """
    if expected is None:
        return "declined" if answer is None else "made up"
    if answer is None:
        return "wrongly declined"
    # A number inside of a longer one is another number.
    patterns = [rf"(?<![\d.,]){re.escape(part)}(?!\d)" for part in expected.split("|")]
    found = len(answer) <= LONGEST_ANSWER and any(re.search(pattern, answer) for pattern in patterns)
    return "right" if found else "off the point"


def _processor_seconds() -> float:
    me = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in [me, *me.children(recursive=True)])


if __name__ == "__main__":
    import sys

    import django

    django.setup()
    for figure, value in score(sys.argv[1:] or SETS).items():
        sys.stdout.write(f"{value:7.3f}  {figure}\n")
