"""Finds paragraphs, list items, headings and sentences in plain text, and cuts what is too long for a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.engines.words_cjk import CJK

# However a text is written: a line of a log, a cell of a table, a language without spaces.
MAX_SENTENCE = 600
# Where a sentence that is too long is best cut, the best first.
CUTS = (re.compile(r"[;；。！？]\s*"), re.compile(r"[,，、:：]\s*"), re.compile(r"\s+"))
# A line shorter than this share of its block's longest ends a unit: a heading, a list item, a line of a form.
FULL_LINE = 0.7
# In letters; a Chinese sign counts as two.
SHORTEST_FULL_LINE = 40
HEADING_WORDS, MAX_HEADING = 12, 200

# Behind these, and behind an initial, a full stop ends no sentence.
ABBREVIATIONS = ["Mr", "Mrs", "Ms", "Dr", "St", "No", "vs", r"e\.g", r"i\.e", "Jr", "Prof", "approx", "[A-Z]"]
SENTENCE_END = re.compile(
    "".join(rf"(?<!\b{short}\.)" for short in ABBREVIATIONS)
    + r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\Wa-z_])|(?<=[。！？])(?![”’」』）])|(?<=[。！？][”’」』）])"
)


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text.

    >>> split_sentences("Dr. Ferrand paid 3.5 million. Why? Nobody knows."), split_sentences("他说：“好。”我走了。")
    (['Dr. Ferrand paid 3.5 million.', 'Why?', 'Nobody knows.'], ['他说：“好。”', '我走了。'])
    """
    sentences = (part.strip() for part in SENTENCE_END.split(text) if part and part.strip())
    return [piece for sentence in sentences for piece in cut_long(sentence)]


def cut_long(sentence: str) -> list[str]:
    """Cut what is longer than a sentence may be, where that does the least harm.

    >>> [len(piece) for piece in cut_long("word " * 200)], [len(piece) for piece in cut_long("x" * 1300)]
    ([599, 399], [600, 600, 100])
    """
    pieces: list[str] = []
    start = 0
    while len(sentence) - start > MAX_SENTENCE:
        end = start + MAX_SENTENCE
        for cut in CUTS:
            # Not in the first half: the pieces would be many and short.
            places = [match.end() for match in cut.finditer(sentence, start + MAX_SENTENCE // 2, end)]
            if places:
                end = places[-1]
                break
        pieces.append(sentence[start:end].strip())
        start = end
    last = sentence[start:].strip()
    return [piece for piece in (*pieces, last) if piece]


def units_of(text: str) -> Iterator[str | None]:
    """Yield paragraphs, list items and headings with their lines joined; None where a blank line parts them."""
    for block in re.split(r"\n[ \t]*\n+", text.replace("\r\n", "\n").replace("\f", "\n\n")):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        longest = max((_width(line) for line in lines), default=0)
        unit: list[str] = []
        for place, line in enumerate(lines):
            _add_line(unit, line)
            after = lines[place + 1] if place + 1 < len(lines) else ""
            if not after or not _runs_on(line, after, longest):
                yield "".join(unit)
                unit = []
        yield None


def title_of(text: str) -> str:
    """Return the heading that a text begins with, if it begins with one."""
    first = next((unit for unit in units_of(text) if unit), "")
    return first if is_heading(first) else ""


def is_heading(unit: str) -> bool:
    """Return whether a unit looks like a heading: short, and no sentence.

    >>> is_heading("Opening hours"), is_heading("It opens at nine."), is_heading("第三条 交货"), is_heading("甲方：赵")
    (True, False, True, False)
    """
    if len(unit) > MAX_HEADING:
        return False
    if unit.startswith("#"):
        return True
    if unit.startswith(("-", "*", "•", "–")):
        return False
    # A Chinese word has about two signs.
    words = len(unit.split()) + sum(len(run) // 2 for run in CJK.findall(unit))
    return words <= HEADING_WORDS and not re.search(r"[.!?:;,。！？：；，、]$|\d[.,]\d|: |[：，；]", unit)


def _runs_on(line: str, after: str, longest: int) -> bool:
    if after[0].islower() and not line.endswith((".", "!", "?", ":")):
        return True
    if re.match(r"[-*•·–▪#]\s|\d+[.)]\s|\||[一二三四五六七八九十]+、|第[一二三四五六七八九十百\d]+[条章]", after):
        return False
    if line.startswith(("#", "|")) or re.match(r"[^:：]{1,12}[:：]", after):
        return False
    return longest >= SHORTEST_FULL_LINE and _width(line) >= FULL_LINE * longest


def _width(line: str) -> int:
    return len(line) + sum(map(len, CJK.findall(line)))


def _add_line(unit: list[str], line: str) -> None:
    """Add a line to a paragraph; a word that is cut at the line's end is joined, and Chinese has no spaces."""
    if not unit:
        unit.append(line)
    elif re.search(r"[^\W\d_]-$", unit[-1]) and line[:1].islower():
        unit[-1] = unit[-1][:-1]
        unit.append(line)
    elif re.search(r"[\u3000-\u9fff\uff00-\uff65]$", unit[-1]):
        unit.append(line)
    else:
        unit += [" ", line]
