"""How much of a text was read right."""

from __future__ import annotations

import re
import sys

from rapidfuzz.distance import Levenshtein

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
DIGITS = {word: str(number) for number, word in enumerate(NUMBERS)}


def characters_right(read: str, written: str) -> float:
    """Return the share of characters read right, from 0 to 1; where lines break does not count."""
    return Levenshtein.normalized_similarity(" ".join(read.split()), " ".join(written.split()))


def show(score: str) -> None:
    """Print a measured score; `pytest -rP` shows them."""
    sys.stdout.write(f"{score}\n")


def word_errors(heard: str, said: str) -> float:
    """Return the share of words heard wrongly, left out or made up (word error rate); case and marks do not count.

    A number may be written in digits or as a word.
    """
    wrong = Levenshtein.distance(_words(heard), _words(said))
    return wrong / len(_words(said))


def _words(text: str) -> list[str]:
    return [DIGITS.get(word, word) for word in re.findall(r"[a-z]+|\d+", text.lower())]
