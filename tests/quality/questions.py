"""Measures answers over documents: right, off the point, declined, on questions that nothing was tuned with."""

from __future__ import annotations

from collections.abc import Iterator

from tests.quality.cost import measured
from tests.quality.figures import Figure
from tests.quality.rag.scoring import score

SETS = {"English": "english", "Chinese": "chinese"}


def measure() -> Iterator[Figure]:
    """Yield shares: of the questions with an answer those right and off the point, of the others those declined."""
    for language, name in SETS.items():
        with measured() as cost:
            found = score([name], together=False)
        yield Figure("questions", language, "right", found[f"{name} right"])
        yield Figure("questions", language, "declined, where there is no answer", found[f"{name} declined"])
        yield Figure("off the point", language, "held", found[f"{name} off the point"])
        case = f"a question, {language}"
        yield Figure("seconds", case, "auto", found[f"{name} processor seconds a question"])
        yield Figure("memory", case, "auto", cost.megabytes)
