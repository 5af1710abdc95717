"""Measures the cross-check in three languages: planted differences that are found, and differences that are none."""

from __future__ import annotations

from collections.abc import Iterator

from tests.engines import test_crosscheck_languages
from tests.engines.test_crosscheck_languages import differing
from tests.quality.cost import measured
from tests.quality.figures import Figure
from tests.quality.papers import PAIRS, PLANTED

LANGUAGES = {"en": "English", "de": "German", "zh": "Chinese", "lease": "Chinese"}


def measure() -> Iterator[Figure]:
    """Yield for each language the share found and the number of false ones, on the tuned and on the held papers."""
    sets = {
        "tuned": (test_crosscheck_languages.PAIRS, test_crosscheck_languages.PLANTED),
        "held": (PAIRS, PLANTED),
    }
    with measured() as cost:
        for by, (pairs, planted) in sets.items():
            for name in dict.fromkeys(LANGUAGES.values()):
                mine = {key: texts for key, texts in pairs.items() if LANGUAGES[key] == name}
                found = false = count = 0
                for texts in mine.values():
                    false += len(differing(*texts))
                for key, true, other in planted:
                    if key in mine:
                        one, again = mine[key]
                        seen = len(differing(one, again.replace(true, other)))
                        count, found, false = count + 1, found + min(seen, 1), false + max(0, seen - 1)
                yield Figure("crosscheck", name, by, found / count)
                yield Figure("false", name, by, float(false))
    yield Figure("seconds", "cross-check, all pairs", "auto", cost.seconds)
    yield Figure("memory", "cross-check, all pairs", "auto", cost.megabytes)
