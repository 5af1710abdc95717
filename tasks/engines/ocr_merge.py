"""Joins readings of one picture: a dark panel shows its text only in a reading of the negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from tasks.engines.tesseract import Word

Line = list[Word]

# A line that only one reading has must be surer than one that stands alone.
LEAST_CONFIDENCE = 0.8


def add_missing_lines(words: Sequence[Word], others: Sequence[Word]) -> list[Word]:
    """Return the words with those sure lines of another reading that lie where nothing was read."""
    lines = lines_of(words)
    for line in lines_of(others):
        sure = sum(len(word.text) * word.confidence for word in line) / sum(len(word.text) for word in line)
        if sure >= LEAST_CONFIDENCE and not any(_meets(word, known) for word in line for known in words):
            place = next((place for place, known in enumerate(lines) if _is_below(known, line)), len(lines))
            lines.insert(place, line)
    # Numbered anew, since both readings counted their own lines.
    blocks = {key: number for number, key in enumerate(dict.fromkeys(line[0].line[:1] for line in lines))}
    return [
        replace(word, line=(blocks[line[0].line[:1]], 0, number)) for number, line in enumerate(lines) for word in line
    ]


def lines_of(words: Sequence[Word]) -> list[Line]:
    """Return the words, a list a line."""
    return [list(line) for _, line in groupby(words, key=lambda word: word.line)]


def _meets(one: Word, other: Word) -> bool:
    return (
        one.left < other.left + other.width
        and other.left < one.left + one.width
        and one.top < other.top + other.height
        and other.top < one.top + one.height
    )


def _is_below(known: Line, line: Line) -> bool:
    middle = sum(word.top + word.height / 2 for word in line) / len(line)
    beside = known[0].left < line[-1].left + line[-1].width and line[0].left < known[-1].left + known[-1].width
    return beside and min(word.top for word in known) > middle
