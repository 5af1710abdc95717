"""Turns what was read of a picture into blocks of the document model: paragraphs and ruled tables, in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import fmean

from tasks.engines.document import Block
from tasks.engines.page_reading import Reading, ScannedTable, Word
from tasks.engines.reading_order import Box


def blocks_of(reading: Reading, *, scale: float = 1.0) -> list[Block]:
    """Return the blocks of a reading; `scale` leads from pixels to the unit of their boxes."""
    language = reading.language_tag
    table_of = {number: table for table in reading.tables for number in table.words}
    blocks: list[Block] = []
    told: set[int] = set()
    for run in _runs(reading):
        table = table_of.get(run[0])
        if table is None:
            blocks.append(_paragraph([reading.words[number] for number in run], language, scale))
        elif id(table) not in told:
            told.add(id(table))
            blocks.append(_table(table, reading, language, scale))
    return blocks


def words_of(reading: Reading, *, scale: float = 1.0) -> list[tuple[str, Box]]:
    """Return the words with their boxes; `scale` leads from pixels to the unit of the boxes."""
    places = ((word.text, word.left, word.top, word.width, word.height) for word in reading.words)
    return [
        (text, (left * scale, top * scale, (left + width) * scale, (top + height) * scale))
        for text, left, top, width, height in places
    ]


def _runs(reading: Reading) -> Iterator[list[int]]:
    """Yield the numbers of words that follow each other in one block, inside one table or outside of all."""
    tables = {number: id(table) for table in reading.tables for number in table.words}
    run: list[int] = []
    for number, word in enumerate(reading.words):
        if run:
            last = run[-1]
            apart = tables.get(number) != tables.get(last)
            if apart or (number not in tables and word.line[0] != reading.words[last].line[0]):
                yield run
                run = []
        run.append(number)
    if run:
        yield run


def _paragraph(words: list[Word], language: str | None, scale: float) -> Block:
    text = words[0].text
    for before, word in pairwise(words):
        text += (" " if word.line == before.line else "\n") + word.text
    box = (
        min(word.left for word in words) * scale,
        min(word.top for word in words) * scale,
        max(word.left + word.width for word in words) * scale,
        max(word.top + word.height for word in words) * scale,
    )
    return Block("paragraph", text, box=box, language=language, confidence=_confidence(words))


def _table(table: ScannedTable, reading: Reading, language: str | None, scale: float) -> Block:
    text = "\n".join(" ".join(cell for cell in row if cell) for row in table.grid.rows)
    left, top, right, bottom = (value * scale for value in table.box)
    confidence = _confidence([reading.words[number] for number in table.words])
    return Block("table", text, (left, top, right, bottom), grid=table.grid, language=language, confidence=confidence)


def _confidence(words: list[Word]) -> float:
    return round(fmean(word.confidence for word in words), 3)
