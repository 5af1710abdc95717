"""Cuts documents into passages: a few sentences that belong together, or a row of a table, with the headings above."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from tasks.engines.reading_order import Box
from tasks.engines.units import MAX_SENTENCE, cut_long, is_heading, split_sentences, title_of, units_of

MAX_WORDS = 90
MAX_CHARACTERS = 1200
# Of the headings above a passage, from the nearest up.
HEADINGS_ABOVE, MAX_HEADING_CHARACTERS = 3, 300

Cells = tuple[tuple[str, str], ...]
# A field is a line of a form or of an e-mail's head.
PieceKind = Literal["heading", "text", "row"]


@dataclass(frozen=True)
class Piece:
    """A block of a document, or a row of a table with its `cells` as (name of the column, text).

    `hint` are words that it is found by besides its own.
    """

    kind: PieceKind
    text: str
    level: int = 1
    box: Box | None = None
    cells: Cells = ()
    hint: str = ""


@dataclass(frozen=True)
class Source:
    """A page of a document, or a text given as it is: then `pieces` are empty, and are found in it.

    `number` is its place among the sources that are asked.
    """

    text: str = ""
    title: str = ""
    file: UUID | None = None
    file_name: str = ""
    page: int | None = None
    pieces: tuple[Piece, ...] = ()
    number: int = 0

    @property
    def length(self) -> int:
        """How many characters it has."""
        return len(self.text) + sum(len(piece.text) for piece in self.pieces)


@dataclass(frozen=True)
class Passage:
    """Some sentences that follow each other, or one row; `heading` are those above it, the nearest last."""

    sentences: tuple[str, ...]
    heading: str
    source: Source
    box: Box | None = None
    cells: Cells = ()
    hint: str = ""
    # The file marks its headings, so that what looks like one and is not marked is none.
    marked: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.sentences)

    @property
    def context(self) -> str:
        """What the passage is about, as far as it does not say so itself."""
        name = re.sub(r"[_.-]+", " ", re.sub(r"\.\w{1,5}$", "", self.source.file_name))
        title = "" if self.source.title in self.heading else self.source.title
        return " ".join(part for part in (name, title, self.heading, self.hint) if part)

    @property
    def places(self) -> list[int]:
        """The sentences that may be quoted as an answer: not those that only begin something, "Dear Ms Raman,", and no
        heading unless there is nothing else.
        """
        told = self.heading.split(" › ") if self.marked or len(self.sentences) > 1 else []
        headings = {self.source.title, *told}
        return [
            place
            for place, sentence in enumerate(self.sentences)
            if (sentence not in headings or re.search(r"\d", sentence)) and not sentence.endswith((",", "，"))
        ]


@dataclass
class _Cutter:
    """The passages of one source as they grow."""

    source: Source
    marked: bool
    passages: list[Passage] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    words: int = 0
    characters: int = 0

    def add(self, sentence: str, box: Box | None) -> None:
        words, characters = len(sentence.split()), len(sentence) + 1
        if self.words + words > MAX_WORDS or self.characters + characters > MAX_CHARACTERS:
            self.close()
        self.current.append(sentence)
        self.boxes += [box] if box else []
        self.words, self.characters = self.words + words, self.characters + characters

    def close(self, hint: str = "") -> None:
        if self.current:
            box = _around(self.boxes)
            self.passages.append(Passage(tuple(self.current), self.path, self.source, box, (), hint, self.marked))
        self.current, self.boxes, self.words, self.characters = [], [], 0, 0

    def head(self, text: str, level: int, box: Box | None) -> None:
        self.close()
        self.headings = [heading for heading in self.headings if heading[0] < level] + [(level, text[:MAX_SENTENCE])]
        # With what follows it: alone it answers nothing, but a long one may.
        for part in cut_long(text):
            self.add(part, box)

    def add_row(self, piece: Piece) -> None:
        self.close()
        parts = cut_long(piece.text)
        cells = piece.cells if len(parts) == 1 else ()
        self.passages += [Passage((part,), self.path, self.source, piece.box, cells) for part in parts]

    @property
    def path(self) -> str:
        return " › ".join(text for _, text in self.headings[-HEADINGS_ABOVE:])[-MAX_HEADING_CHARACTERS:]


def split_source(source: Source) -> list[Passage]:
    """Return the passages of a source in its order."""
    pieces = source.pieces or (Piece("text", source.text),)
    if not source.title:
        first = next((piece for piece in pieces if piece.kind != "row"), None)
        title = first.text if first and first.kind == "heading" else title_of(first.text) if first else ""
        source = replace(source, title=title[:MAX_SENTENCE])
    cutter = _Cutter(source, marked=any(piece.kind == "heading" for piece in pieces))
    for piece in pieces:
        if piece.kind == "row":
            cutter.add_row(piece)
        elif piece.kind == "heading":
            cutter.head(" ".join(piece.text.split()), piece.level, piece.box)
        elif piece.hint:
            cutter.close()
            for unit in _bare_units(piece):
                cutter.add(unit, piece.box)
            cutter.close(piece.hint)
        else:
            _cut_text(cutter, piece)
    cutter.close()
    return cutter.passages


def _cut_text(cutter: _Cutter, piece: Piece) -> None:
    for unit in units_of(piece.text):
        if unit is None:
            if not cutter.marked:
                cutter.close()
        elif not cutter.marked and is_heading(unit):
            cutter.head(unit, 1, piece.box)
        else:
            for sentence in split_sentences(unit):
                cutter.add(sentence, piece.box)


def _bare_units(piece: Piece) -> Iterator[str]:
    return (part for unit in units_of(piece.text) if unit for part in cut_long(unit))


def _around(boxes: list[Box]) -> Box | None:
    if not boxes:
        return None
    left, top, right, bottom = zip(*boxes, strict=True)
    return (min(left), min(top), max(right), max(bottom))
