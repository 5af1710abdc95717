"""The place of a text where words stand that somebody looked for, cut around the first of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.search.document import BREAK
from tasks.search.words import fold

BEFORE, LENGTH = 60, 200


def snippet_of(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """Return pieces of text around the first place, each with whether it is one of the words; nothing where none is.

    >>> snippet_of(f"a.pdf{BREAK}The total of the INVOICE", ["invoic"])
    [('The total of the ', False), ('INVOIC', True), ('E', False)]
    """
    names, _, rest = text.partition(BREAK)
    return _around(rest, words) or _around(names, words)


def _around(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    folded = fold(text)
    if len(folded) != len(text):
        # Where letters become more or fewer, places would not be the same.
        folded = text.lower() if len(text.lower()) == len(text) else text
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
    first = re.search(rf"(?<![^\W_])(?:{pattern.pattern})", folded) or pattern.search(folded)
    if first is None:
        return []
    begin = max(0, first.start() - BEFORE)
    # Not in the midst of a word.
    begin = text.rfind(" ", 0, begin) + 1 if begin else 0
    end = min(len(text), begin + LENGTH)
    pieces, at = [("…", False)] if begin else [], begin
    for match in pattern.finditer(folded, begin, end):
        pieces += [(text[at : match.start()], False), (text[match.start() : match.end()], True)]
        at = match.end()
    pieces += [(text[at:end], False), ("…" if end < len(text) else "", False)]
    return [(" ".join(piece.split("\n")), is_word) for piece, is_word in pieces if piece]
