"""Puts words that are scattered over a page into the order in which a person reads them.

A page is cut along gutters, the empty strips between columns of prose, for as far down as a gutter
reaches; what is left is read line by line. Tables without rules have gutters too, so both sides
of a cut must look like prose.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar


@dataclass(slots=True)
class Piece:
    """A piece of text with its box; the origin is the page's upper left corner, the unit does not matter."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


# Left, top, right, bottom.
Box = tuple[float, float, float, float]
P = TypeVar("P", bound=Piece)
Line = list[P]

LEAST_LINES = 3
# Numbers in a table are words too, but have no letters.
LEAST_WORDS_A_LINE, LEAST_LETTERS_A_LINE = 2.5, 12
# In heights of the text: a gutter is wider than any space between words, a paragraph's gap higher than a line's.
GUTTER = 0.9
PARAGRAPH_GAP = 0.9
MOST_CANDIDATES = 40
# Hebrew, Arabic, Syriac, Thaana, N'Ko and the forms of Arabic letters.
RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
LETTERS = re.compile(r"[^\W\d_]")
# Kana, Chinese characters and their marks.
WITHOUT_SPACES = re.compile(r"[\u3000-\u303f\uff00-\uff65\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def blocks_in_order(pieces: Sequence[P]) -> list[list[Line[P]]]:
    """Return columns and bands of the page in reading order, each as its lines from top to bottom."""
    if not pieces:
        return []
    cut = _find_gutter(pieces)
    if cut is None:
        return [lines_of(pieces)]
    above, left, right, below = cut
    return [block for part in (above, left, right, below) for block in blocks_in_order(part)]


def lines_of(pieces: Sequence[P]) -> list[Line[P]]:
    """Return the pieces as lines from top to bottom, each from left to right, or as its script is written."""
    lines: list[Line[P]] = []
    # Of the last line: kept along, because a page may have all its pieces in one.
    middles = height = 0.0
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        line = lines[-1] if lines else []
        if line and abs(middles / len(line) - piece.middle) <= 0.5 * min(piece.height, height):
            line.append(piece)
            middles, height = middles + piece.middle, max(height, piece.height)
        else:
            lines.append([piece])
            middles, height = piece.middle, piece.height
    return [_in_direction(line) for line in lines]


def _in_direction(line: Line[P]) -> Line[P]:
    if len(line) > 1 and is_right_to_left(line):
        return sorted(line, key=lambda piece: -piece.right)
    return sorted(line, key=lambda piece: piece.left)


def is_right_to_left(pieces: Sequence[Piece]) -> bool:
    """Return whether most letters are of scripts that are written from right to left (Hebrew, Arabic, …)."""
    text = "".join(piece.text for piece in pieces)
    return not text.isascii() and 2 * len(RIGHT_TO_LEFT.findall(text)) > len(LETTERS.findall(text))


def text_of(pieces: Sequence[P]) -> str:
    """Return the text in reading order: a line a line, an empty line where paragraphs or columns part."""
    parts: list[str] = []
    for block in blocks_in_order(pieces):
        before: Line[P] | None = None
        for line in block:
            apart = before is None or _top(line) - _bottom(before) > PARAGRAPH_GAP * min(_height(line), _height(before))
            parts += [""] if apart and parts else []
            parts.append(" ".join(piece.text for piece in line))
            before = line
    return "\n".join(parts)


def _find_gutter(pieces: Sequence[P]) -> tuple[list[P], list[P], list[P], list[P]] | None:
    """Return what is above, left of, right of and below the tallest gutter, if there is one."""
    height = median(piece.height for piece in pieces)
    # Columns begin where many lines begin.
    starts = Counter(round(piece.left / (height / 4)) * (height / 4) for piece in pieces)
    by_middle = sorted(pieces, key=lambda piece: piece.middle)
    middles = [piece.middle for piece in by_middle]
    best: tuple[float, tuple[list[P], list[P], list[P], list[P]]] | None = None
    for start, count in starts.most_common(MOST_CANDIDATES):
        if count < LEAST_LINES:
            break
        x = start - height * 0.3
        for top, bottom in _free_strips(pieces, x):
            if bottom - top < LEAST_LINES * height or (best is not None and bottom - top <= best[0]):
                continue
            first, last = bisect_left(middles, top), bisect_right(middles, bottom)
            left = [piece for piece in by_middle[first:last] if piece.right <= x]
            right = [piece for piece in by_middle[first:last] if piece.left >= x]
            if _is_gutter(left, right, height):
                # A heading over one column only is above the other column's first line, yet belongs to its column.
                best = (bottom - top, (by_middle[:first], left, right, by_middle[last:]))
    return best[1] if best else None


def _free_strips(pieces: Sequence[P], x: float) -> list[tuple[float, float]]:
    """Return the vertical intervals in which no piece crosses `x`."""
    strips, top = [], min(piece.top for piece in pieces) - 1.0
    for piece in sorted((p for p in pieces if p.left < x < p.right), key=lambda piece: piece.top):
        if piece.top > top:
            strips.append((top, piece.top))
        top = max(top, piece.bottom)
    strips.append((top, max(piece.bottom for piece in pieces) + 1.0))
    return strips


def _is_gutter(left: list[P], right: list[P], height: float) -> bool:
    if not left or not right:
        return False
    if min(piece.left for piece in right) - max(piece.right for piece in left) < GUTTER * height:
        return False
    return is_prose(left) and is_prose(right) and _starts_evenly(right, height)


def is_prose(pieces: list[P]) -> bool:
    lines = lines_of(pieces)
    words = sum(_word_count(piece.text) for piece in pieces) / len(lines)
    letters = sum(_letter_count(piece.text) for piece in pieces) / len(lines)
    return len(lines) >= LEAST_LINES and words >= LEAST_WORDS_A_LINE and letters >= LEAST_LETTERS_A_LINE


def _word_count(text: str) -> float:
    # Chinese and Japanese put no spaces between words, which are two characters long on the average.
    return len(text.split()) + len(WITHOUT_SPACES.findall(text)) / 2


def _letter_count(text: str) -> int:
    # One of theirs says as much as two letters, and takes the room.
    return sum(character.isalpha() for character in text) + len(WITHOUT_SPACES.findall(text))


def _starts_evenly(pieces: list[P], height: float) -> bool:
    # A column has an edge; a chance gap that runs down through a paragraph has none.
    lines = lines_of(pieces)
    edge = min(line[0].left for line in lines)
    return sum(line[0].left - edge < height for line in lines) >= len(lines) / 2


def _height(line: Line[P]) -> float:
    return max(piece.height for piece in line)


def _top(line: Line[P]) -> float:
    return min(piece.top for piece in line)


def _bottom(line: Line[P]) -> float:
    return max(piece.bottom for piece in line)
