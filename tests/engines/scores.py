"""How much of a text was read right."""

from __future__ import annotations

import sys

from rapidfuzz.distance import Levenshtein


def characters_right(read: str, written: str) -> float:
    """Return the share of characters read right, from 0 to 1; where lines break does not count."""
    return Levenshtein.normalized_similarity(" ".join(read.split()), " ".join(written.split()))


def show(score: str) -> None:
    """Print a measured score; `pytest -rP` shows them."""
    sys.stdout.write(f"{score}\n")
