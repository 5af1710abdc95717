"""Reads a picture with PP-OCR: turned upright and level first, its lines put into reading order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tasks.engines import pp_ocr
from tasks.engines.document import Notice
from tasks.engines.page_reading import Reading, Word
from tasks.engines.picture_quality import estimate_skew, without_codes
from tasks.engines.picture_treatment import Grey, Treatment, lead_back, prepare
from tasks.engines.pp_ocr import SeenLine, Sight
from tasks.engines.reading_order import PARAGRAPH_GAP, Piece, blocks_in_order

# Lines that lean less are read as they are; more, and the order of lines in a table suffers.
LEAST_SKEW = 0.3
# Writing is looked for in pictures reduced to this at most without a word.
MUCH_REDUCED = 0.4


def read(grey: Grey, *, check: Callable[[], None]) -> Reading:
    """Return what PP-OCR reads in a picture; `check` is called meanwhile and may raise.

    Raises:
        InputTooLarge: it took too long.
        EngineError: the engine is not here, or failed.
    """
    grey = without_codes(grey)
    skew = estimate_skew(grey)
    treatment = Treatment(turn=skew if abs(skew) > LEAST_SKEW else 0.0)
    prepared, matrix = prepare(grey, treatment)
    sight = pp_ocr.look(prepared, may_turn=True, check=check)
    if sight.turn:
        # The lines of a page on its side say nothing of its skew.
        treatment = replace(treatment, turn=(0.0 if sight.turn != 180 else treatment.turn) + sight.turn)
        prepared, matrix = prepare(grey, treatment)
        sight = pp_ocr.look(prepared, may_turn=False, check=check)
    if not any(character.isalnum() for line in sight.lines for word in line.words for character in word.text):
        # Only marks: what is left of writing that the model does not know.
        sight = replace(sight, lines=[], unread=sight.unread + len(sight.lines))
    words = lead_back(words_in_order(sight.lines), matrix, grey.shape)
    return Reading(words, engine=pp_ocr.NAME, notices=tuple(_notices(sight)), turn=treatment.turn)


def words_in_order(lines: Sequence[SeenLine]) -> list[Word]:
    """Return the words of lines in the order in which a person reads them: column by column, line by line."""
    seen: dict[int, SeenLine] = {}
    pieces = []
    for line in lines:
        piece = Piece(" ".join(word.text for word in line.words), *line.box)
        seen[id(piece)] = line
        pieces.append(piece)
    words: list[Word] = []
    block_number = 0
    for block in blocks_in_order(pieces):
        before: list[Piece] | None = None
        for number, row in enumerate(block):
            if before is None or _gap(before, row) > PARAGRAPH_GAP * min(_height(row), _height(before)):
                block_number += 1
            place = (block_number, 1, number)
            words += [word for piece in row for word in _words(seen[id(piece)], place)]
            before = row
    return words


def _words(line: SeenLine, place: tuple[int, int, int]) -> Iterator[Word]:
    _, top, _, bottom = line.box
    for word in line.words:
        yield Word(
            word.text,
            round(word.left),
            round(top),
            max(1, round(word.right - word.left)),
            max(1, round(bottom - top)),
            confidence=word.confidence,
            line=place,
        )


def _notices(sight: Sight) -> Iterator[Notice]:
    if sight.unread:
        text = f"{sight.unread} places that look like writing could not be read surely and are left out."
        yield Notice("left out", text, count=sight.unread)
    if sight.reduced < MUCH_REDUCED:
        text = f"The picture was read at {sight.reduced:.0%} of its size: fine print may be missing."
        yield Notice("limit", text)


def _gap(above: Sequence[Piece], below: Sequence[Piece]) -> float:
    return min(piece.top for piece in below) - max(piece.bottom for piece in above)


def _height(row: Sequence[Piece]) -> float:
    return max(piece.height for piece in row)
