"""Cuts documents into passages: a few sentences that belong together, with the heading above them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

MAX_WORDS = 90
# A line shorter than this share of its block's longest ends a unit: a heading, a list item, a line of a form.
FULL_LINE = 0.7
SHORTEST_FULL_LINE = 40
HEADING_WORDS = 12

# Behind these, and behind an initial, a full stop ends no sentence.
ABBREVIATIONS = ["Mr", "Mrs", "Ms", "Dr", "St", "No", "vs", r"e\.g", r"i\.e", "Jr", "Prof", "approx", "[A-Z]"]
SENTENCE_END = re.compile(
    "".join(rf"(?<!\b{short}\.)" for short in ABBREVIATIONS)
    + r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\Wa-z_])|(?<=[。！？])"
)


@dataclass(frozen=True)
class Source:
    """A page of a document, or a text given as it is. `rows` are the rows of its tables, each as a sentence."""

    text: str
    title: str = ""
    file: UUID | None = None
    file_name: str = ""
    page: int | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Passage:
    """Some sentences that follow each other; `heading` is the last heading above them."""

    sentences: tuple[str, ...]
    heading: str
    source: Source

    @property
    def text(self) -> str:
        return " ".join(self.sentences)

    @property
    def context(self) -> str:
        """What the passage is about, as far as it does not say so itself."""
        name = re.sub(r"[_.-]+", " ", re.sub(r"\.\w{1,5}$", "", self.source.file_name))
        return f"{name} {self.source.title} {self.heading}".strip()

    @property
    def places(self) -> list[int]:
        """The sentences that may be quoted as an answer: a heading alone says nothing, unless there is nothing else."""
        headings = {self.source.title, self.heading if len(self.sentences) > 1 else ""}
        return [
            place
            for place, sentence in enumerate(self.sentences)
            if sentence not in headings or re.search(r"\d", sentence)
        ]


def split_source(source: Source) -> list[Passage]:
    """Return the passages of a source in its order."""
    if not source.title:
        source = replace(source, title=title_of(source.text))
    passages: list[Passage] = []
    heading, current = "", list[str]()

    def close() -> None:
        if current:
            passages.append(Passage(tuple(current), heading, source))
            current.clear()

    for unit in _units(source.text):
        if unit is None:
            close()
            continue
        if _is_heading(unit):
            close()
            heading = unit
        for sentence in split_sentences(unit):
            if sum(len(earlier.split()) for earlier in current) + len(sentence.split()) > MAX_WORDS:
                close()
            current.append(sentence)
    close()
    return passages + [Passage((row,), heading, source) for row in source.rows]


def title_of(text: str) -> str:
    """Return the heading that a text begins with, if it begins with one."""
    first = next((unit for unit in _units(text) if unit), "")
    return first if _is_heading(first) else ""


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text.

    >>> split_sentences("Dr. Ferrand paid 3.5 million. Why? Nobody knows.")
    ['Dr. Ferrand paid 3.5 million.', 'Why?', 'Nobody knows.']
    """
    return [part.strip() for part in SENTENCE_END.split(text) if part and part.strip()]


def _units(text: str) -> Iterator[str | None]:
    """Yield paragraphs, list items and headings with their lines joined; None where a blank line parts them."""
    for block in re.split(r"\n[ \t]*\n+", text.replace("\r\n", "\n").replace("\f", "\n\n")):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        longest = max((len(line) for line in lines), default=0)
        unit = ""
        for place, line in enumerate(lines):
            unit = _join(unit, line)
            after = lines[place + 1] if place + 1 < len(lines) else ""
            if not after or not _runs_on(line, after, longest):
                yield unit
                unit = ""
        yield None


def _runs_on(line: str, after: str, longest: int) -> bool:
    if after[0].islower() and not line.endswith((".", "!", "?", ":")):
        return True
    if re.match(r"[-*•·–▪#]\s|\d+[.)]\s|\|", after) or line.startswith(("#", "|")):
        return False
    return longest >= SHORTEST_FULL_LINE and len(line) >= FULL_LINE * longest


def _join(unit: str, line: str) -> str:
    if re.search(r"[^\W\d_]-$", unit) and line[:1].islower():
        return unit[:-1] + line
    return f"{unit} {line}".strip()


def _is_heading(unit: str) -> bool:
    if unit.startswith("#"):
        return True
    if unit.startswith(("-", "*", "•", "–")):
        return False
    return len(unit.split()) <= HEADING_WORDS and not re.search(r"[.!?:;,]$|\d[.,]\d|: ", unit)
