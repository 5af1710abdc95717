"""What was read of one picture: words with boxes and confidence, by which engine, in which language, what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from tasks.engines.document import Grid, Notice
from tasks.engines.written_language import UNDETERMINED

# Left, top, right, bottom.
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Word:
    """A word with its box in pixels (left, top, width, height), confidence from 0 to 1, and its place in the layout.

    `line` is block, paragraph and line. In writing without spaces a word is what stands between two of them.
    """

    text: str
    left: int
    top: int
    width: int
    height: int
    confidence: float
    line: tuple[int, int, int]


@dataclass(frozen=True)
class ScannedTable:
    """A table: its box in pixels of the picture, its cells, and which of the words stand in it.

    `is_whole` says that all its lines were found: else a word may stand in a neighbour's cell.
    """

    box: Box
    grid: Grid
    words: frozenset[int]
    is_whole: bool


@dataclass(frozen=True)
class Reading:
    """What was read. Boxes are pixels of the picture as it was given.

    Args:
        engine: `tesseract` or `pp-ocr`; empty where nothing looked.
        language: of the text as ISO 639-1, `und` where it cannot be told.
        notices: what was left out; where there is no text, why.
        turn: degrees, counter-clockwise, by which the picture was turned to be read.
        tables: ruled tables; their words are among the words.
    """

    words: list[Word]
    engine: str = ""
    language: str = UNDETERMINED
    notices: Sequence[Notice] = field(default_factory=tuple)
    turn: float = 0.0
    tables: Sequence[ScannedTable] = field(default_factory=tuple)

    @property
    def language_tag(self) -> str | None:
        """The language as a BCP 47 tag, None where it cannot be told."""
        return None if self.language == UNDETERMINED else self.language

    @property
    def lines(self) -> list[list[Word]]:
        """The words, a list a line."""
        return [list(line) for _, line in groupby(self.words, key=lambda word: word.line)]

    @property
    def text(self) -> str:
        """The words, a line a line, an empty line between blocks."""
        blocks = groupby(self.words, key=lambda word: word.line[0])
        return "\n\n".join(
            "\n".join(" ".join(word.text for word in line) for _, line in groupby(block, key=lambda word: word.line))
            for _, block in blocks
        )

    @property
    def confidence(self) -> float:
        """Mean confidence from 0 to 1, long words counting more."""
        letters = sum(len(word.text) for word in self.words)
        return sum(len(word.text) * word.confidence for word in self.words) / letters if letters else 0.0

    @property
    def score(self) -> float:
        """How much was read surely: sure letters add, doubtful ones take away."""
        return sum(len(word.text) * (word.confidence - 0.5) for word in self.words)
