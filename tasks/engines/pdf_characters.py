"""The characters of a PDF page with their boxes, in PDFium's order, and mended where PDFium hands them out as drawn.

PDFium cuts the text into lines and words, turns right-to-left text round and takes ligatures apart.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tasks.engines.reading_order import RIGHT_TO_LEFT, Box, Piece

# Text that leans by fewer degrees belongs to the lines about it.
MOST_SLANT = 10
# PDFium writes these for a hyphen at the end of a line, and joins the lines.
HYPHENS = {0x02: "-", 0xFFFE: "-", 0xAD: "-"}
# Symbol fonts have their bullets where Unicode has nothing.
BULLETS = {0xF0B7, 0xF0A7, 0xF0D8, 0xF06C, 0xF06E, 0xF076, 0xF0A8, 0xF0FC}
# Letters drawn twice to look bold lie closer together than any two letters of a word, in heights of the text.
DRAWN_TWICE = 0.12
# In heights: letters of a word that is written without spaces lie closer together.
WORD_GAP = 0.15
# Letters of scripts that are also written downwards.
CJK = ("\u2e80", "\u9fff")


@dataclass(slots=True)
class Character(Piece):
    """A character; `order` is its place in PDFium's order, `turn` by how many degrees it lies clockwise on the page.

    `before` is the white space between it and the character before; `weight` the font's (400 is normal),
    known for the first of a line, else 0.
    """

    order: int
    turn: int
    before: str
    weight: int = 0

    @property
    def level(self) -> bool:
        return self.turn <= MOST_SLANT or self.turn >= 360 - MOST_SLANT


@dataclass
class PageText:
    """A page's characters; `nameless` counts those whose font does not tell what they stand for, which are left out."""

    characters: list[Character]
    nameless: int


def characters_of(page: pdfium.PdfPage) -> PageText:
    """Return the page's characters, white space left out; boxes are in points as the page is shown."""
    text = page.get_textpage()
    try:
        return _mended(_characters(page, text))
    finally:
        text.close()


def _characters(page: pdfium.PdfPage, text: pdfium.PdfTextPage) -> Iterator[Character | None]:
    """Yield the characters, None for one without a meaning."""
    box, handle, turn, media = raw.FS_RECTF(), text.raw, page.get_rotation(), page.get_mediabox()
    reference, high, before = ctypes.byref(box), 0, ""
    for place in range(text.count_chars()):
        code = raw.FPDFText_GetUnicode(handle, place)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000 and high:
            code, high = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00), 0
        letter = HYPHENS.get(code) or _letter(code)
        if letter.isspace() or not letter:
            before += letter
            continue
        if letter == "\ufffd" or raw.FPDFText_HasUnicodeMapError(handle, place) == 1:
            yield None
            continue
        if not raw.FPDFText_GetLooseCharBox(handle, place, reference):
            continue
        left, top, right, bottom = _shown((box.left, box.bottom, box.right, box.top), media, turn)
        angle = round(raw.FPDFText_GetCharAngle(handle, place) * 180 / math.pi + turn) % 360
        weight = raw.FPDFText_GetFontWeight(handle, place) if "\n" in before or not place else 0
        yield Character(letter, left, top, right, bottom, place, angle, before, max(weight, 0))
        before = ""


def _letter(code: int) -> str:
    """Return what a code stands for: nothing where that is nothing, the replacement character where nobody knows.

    >>> _letter(0x41), _letter(0), _letter(0xF0B7), _letter(0xE123), _letter(0xFB01), _letter(0xFEFB)
    ('A', '', '•', '\ufffd', 'fi', 'لا')
    """
    if code < 0x80:
        letter = chr(code)
        return letter if code >= 0x20 or letter.isspace() else "\ufffd" if code else ""
    if code in BULLETS:
        return "•"
    letter = chr(code)
    if 0xFB00 <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFC:
        return unicodedata.normalize("NFKC", letter)
    return "\ufffd" if unicodedata.category(letter) in {"Co", "Cn", "Cc", "Cs"} else letter


def _mended(found: Iterator[Character | None]) -> PageText:
    characters: list[Character] = []
    nameless = 0
    for character in found:
        if character is None:
            nameless += 1
        else:
            characters.append(character)
    characters = _drawn_once(_marks_behind(_ligatures_turned(characters)))
    for order, character in enumerate(characters):
        character.order = order
    return PageText(characters, nameless)


def _ligatures_turned(characters: list[Character]) -> list[Character]:
    """Put the letters of right-to-left ligatures in their order: PDFium turns them round like the rest of the line."""
    mended: list[Character] = []
    for _, group in groupby(characters, key=lambda c: (c.left, c.top, c.right, c.bottom)):
        letters = list(group)
        if len(letters) > 1 and all(RIGHT_TO_LEFT.match(letter.text) for letter in letters):
            texts = [letter.text for letter in reversed(letters)]
            for letter, text in zip(letters, texts, strict=True):
                letter.text = text
        mended += letters
    return mended


def _marks_behind(characters: list[Character]) -> list[Character]:
    """Put vowel marks behind their letters: PDFium may have one before its letter, with a space that nobody wrote."""
    for place in range(1, len(characters) - 1):
        mark, letter = characters[place : place + 2]
        if mark.before and not letter.before and _is_mark(mark) and RIGHT_TO_LEFT.match(letter.text):
            if apart(characters[place - 1], letter) > WORD_GAP * letter.height:
                letter.before = mark.before
            mark.before = ""
            characters[place], characters[place + 1] = letter, mark
    return characters


def _is_mark(character: Character) -> bool:
    return unicodedata.category(character.text[0]) == "Mn" and RIGHT_TO_LEFT.match(character.text) is not None


def _drawn_once(characters: list[Character]) -> list[Character]:
    """Leave out letters that are drawn a second time at nearly the same place, which makes them look bold."""
    kept: list[Character] = []
    seen: dict[tuple[str, int, int], Character] = {}
    owed = ""
    for character in characters:
        step = max(DRAWN_TWICE * character.height, 0.1)
        column, row = int(character.left / step), int(character.top / step)
        places = [(character.text, column + x, row + y) for x in (0, -1, 1) for y in (0, -1, 1)]
        first = next((known for place in places if (known := seen.get(place)) is not None), None)
        if first is not None and _is_twice(first, character, step, kept[-1]):
            owed = owed or character.before
            continue
        if first is None:
            seen[places[0]] = character
        if owed and not character.before and apart(kept[-1], character) > step:
            character.before = owed
        owed = ""
        kept.append(character)
    return kept


def _is_twice(first: Character, second: Character, step: float, last: Character) -> bool:
    if abs(first.left - second.left) > step or abs(first.top - second.top) > step:
        return False
    # The two letters of the ligature ff share a box.
    return not (first is last and first.left == second.left and first.right == second.right and first.text == "f")


def lying(characters: Sequence[Character]) -> int:
    """Return by how many quarter turns clockwise most of a page's text lies: 0 where it can be read as shown."""
    quarters = Counter(round(character.turn / 90) % 4 for character in characters)
    return max(quarters, key=lambda quarter: quarters[quarter]) if quarters else 0


def upright(characters: list[Character], quarters: int) -> list[Character]:
    """Return the characters as if the page were turned back by quarter turns."""
    if not quarters:
        return characters
    turned = []
    for c in characters:
        left, top, right, bottom = turn_back((c.left, c.top, c.right, c.bottom), quarters)
        turn = (c.turn - 90 * quarters) % 360
        turned.append(replace(c, left=left, top=top, right=right, bottom=bottom, turn=turn))
    return turned


def turn_back(box: Box, quarters: int) -> Box:
    """Turn a box counter-clockwise about the page's upper left corner; it may come to lie at negative places."""
    for _ in range(quarters):
        left, top, right, bottom = box
        box = (top, -right, bottom, -left)
    return box


def words_of(characters: Sequence[Character]) -> list[Piece]:
    """Join characters that follow each other without white space, on one line, to words."""
    words: list[Piece] = []
    current: list[Character] = []
    for character in characters:
        if current and not _continues(current[-1], character):
            words.append(joined(current))
            current = []
        current.append(character)
    if current:
        words.append(joined(current))
    return words


def text_in_file_order(characters: Sequence[Character]) -> str:
    """Return the characters as the file has them, for text that runs along no common line."""
    return "".join((" " if c.before and place else "") + c.text for place, c in enumerate(characters))


def joined(characters: Sequence[Character]) -> Piece:
    """Return characters as one piece, with single spaces where there is white space between them."""
    return Piece(
        text_in_file_order(characters),
        min(character.left for character in characters),
        min(character.top for character in characters),
        max(character.right for character in characters),
        max(character.bottom for character in characters),
    )


def apart(before: Character, after: Character) -> float:
    """Return the width of the gap between two characters, whichever stands left; negative where they overlap."""
    return max(after.left - before.right, before.left - after.right)


def _continues(before: Character, after: Character) -> bool:
    return (
        after.order == before.order + 1
        and not after.before
        and abs(after.middle - before.middle) < 0.6 * max(before.height, after.height)
        and apart(before, after) < 0.5 * max(before.height, after.height)
    )


def is_below(before: Character, after: Character) -> bool:
    """Return whether a character is written beneath the one before, as Chinese and Japanese may be."""
    if not (CJK[0] <= before.text[0] <= CJK[1] and CJK[0] <= after.text[0] <= CJK[1]) or after.before:
        return False
    sideways = abs((before.left + before.right) - (after.left + after.right)) / 2
    return sideways < 0.3 * before.height and abs(after.top - before.bottom) < 0.5 * before.height


def _shown(box: Box, media: Box, rotation: int) -> Box:
    """Turn a box of the file (left, bottom, right, top; upwards) into one of the page as shown (downwards)."""
    left, bottom, right, top = box
    # The media box and not the visible crop box: so does pdfplumber, whose tables are laid over this.
    x0, y0, x1, y1 = media
    match rotation:
        case 90:
            return bottom - y0, left - x0, top - y0, right - x0
        case 180:
            return x1 - right, bottom - y0, x1 - left, top - y0
        case 270:
            return y1 - top, x1 - right, y1 - bottom, x1 - left
        case _:
            return left - x0, y1 - top, right - x0, y1 - bottom
