"""Words of texts, as they are stored and as they are asked for: the same letters in any case, with or without accents.

No extension of Postgres, no dictionary: words are found by their beginnings, Chinese by two characters that stand
side by side, and names also by any three letters within a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST_LETTERS = 40
MOST_WORDS = 5_000
MOST_ASKED = 10
MOST_OF_A_QUERY = 200
# In a query stands for the owner and the span of time that each stored word begins with.
PLACE = "§"

_ACCENTS = re.compile("[\u0300-\u036f]")
_CHINESE = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(rf"(?P<chinese>[{_CHINESE}]+)|(?P<word>[^\W_{_CHINESE}]+)")
_PARTS = re.compile(r"\d+|\D+")


def fold(text: str) -> str:
    """Return text as words of it are compared.

    >>> fold("Über ＡＢＣ")
    'uber abc'
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text.lower())))


def words_of(names: str, text: str) -> set[str]:
    """Return the words to store of a task: `names` is what it is called by, which is found by any part of a word.

    >>> sorted(words_of("ab-cdef", "发票号 A1"))
    ['1', 'a', 'a1', 'ab', 'cdef', '~cde', '~def', '发票', '号', '票号']
    """
    found = {part for run in _RUN.finditer(fold(names)) if run["word"] for part in _thirds(run["word"])}
    for run in _RUN.finditer(fold(f"{names}\n{text}")):
        found.update(_pairs(run["chinese"]) if run["chinese"] else _with_parts(run["word"][:MOST_LETTERS]))
        if len(found) >= MOST_WORDS:
            break
    return found


@dataclass(frozen=True)
class Asked:
    """What somebody looks for: the words as they are compared, and a tsquery with `PLACE` before each word."""

    words: tuple[str, ...]
    query: str


def parse_search(text: str) -> Asked:
    """Return what is looked for: all of the words, each by its beginning. No words: nothing can be found.

    >>> parse_search("Invoices 50%").query
    "('§invoice':* | '§~inv' & '§~nvo' & '§~voi' & '§~oic' & '§~ice') & '§50':*"
    >>> parse_search("发票号").query, parse_search("票").query, parse_search("%_!").words
    ("'§发票' & '§票号'", "'§票':*", ())
    """
    runs = list(dict.fromkeys(match[0] for match in _RUN.finditer(fold(text[:MOST_OF_A_QUERY]))))[:MOST_ASKED]
    return Asked(tuple(_singular(run) for run in runs), " & ".join(_condition(_singular(run)) for run in runs))


def _condition(word: str) -> str:
    if _RUN.fullmatch(word)["chinese"]:  # type: ignore[index]
        pairs = [word[at : at + 2] for at in range(len(word) - 1)]
        return " & ".join(f"'{PLACE}{pair}'" for pair in pairs) or f"'{PLACE}{word}':*"
    begins = f"'{PLACE}{word[:MOST_LETTERS]}':*"
    thirds = " & ".join(f"'{PLACE}{third}'" for third in _thirds(word))
    return f"({begins} | {thirds})" if thirds else begins


def _singular(word: str) -> str:
    # By its beginning a word is found in the plural, too; the other way round only so.
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") and word.isascii() else word


def _pairs(run: str) -> Iterator[str]:
    # The last one alone, so that each is found by one character.
    yield from (run[at : at + 2] for at in range(len(run)))


def _with_parts(word: str) -> Iterable[str]:
    parts = _PARTS.findall(word)
    return [word, *parts] if len(parts) > 1 else [word]


def _thirds(word: str) -> list[str]:
    word = word[:MOST_LETTERS]
    return [f"~{word[at : at + 3]}" for at in range(len(word) - 2)]
