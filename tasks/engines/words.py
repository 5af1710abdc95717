"""Words of a text as search terms: lower case, without endings and without words that say nothing."""

from __future__ import annotations

import re
import unicodedata

from tasks.engines.word_lists import read_list
from tasks.engines.words_cjk import CJK, bigrams

_CJK = CJK.pattern.removesuffix("+").strip("[]")
LETTER = rf"[^\W_{_CJK}]"
# Chinese and other writing without spaces, a number with its points, or a word that may hold digits, like E2 or HX-200.
TOKEN = re.compile(
    rf"{CJK.pattern}|\d+(?:[.,:]\d+)*(?!{LETTER})|{LETTER}+(?:['’-]{LETTER}+)*",
)
SILENT = frozenset(word for line in read_list("silent_words") for word in line)
IRREGULAR = {form: line[0] for line in read_list("irregular_forms") for form in line[1:]}
VOWELS = set("aeiouy")
DOUBLED = re.compile(r"(bb|dd|ff|gg|mm|nn|pp|rr|tt)$")


def terms_of(text: str) -> list[str]:
    """Return the search terms of a text, in its order.

    >>> terms_of("The lamps were delivered to 31 harbours.")
    ['lamp', 'deliver', '31', 'harbour']
    """
    return [stem(word) for word in words_of(text) if word not in SILENT]


def words_of(text: str) -> list[str]:
    """Return a text's words and numbers in lower case.

    >>> words_of("Total: 1,204.50 (North)")
    ['total', '1204.50', 'north']
    """
    words: list[str] = []
    for match in TOKEN.finditer(unicodedata.normalize("NFKC", text).lower()):
        word = match.group()
        if word[0].isdigit() and not re.search(r"[^\W\d_]", word):
            words.append(normal_number(word))
        elif CJK.match(word):
            words += bigrams(word)
        else:
            words += [part for part in re.split(r"['’-](?!\d)", word) if part]
    return words


def normal_number(number: str) -> str:
    """Return a number without separators of thousands.

    >>> [normal_number(number) for number in ("1,204", "3.6", "08:45", "1,204.50")]
    ['1204', '3.6', '08:45', '1204.50']
    """
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", number)


def stem(word: str) -> str:
    """Return a word without its English ending, so that its forms meet.

    A short form of Porter's steps ("An algorithm for suffix stripping", 1980): plural, -ed, -ing, -ly and a final e.

    >>> [stem(word) for word in ("deliveries", "stopped", "opening", "prices", "costs", "glass")]
    ['deliveri', 'stop', 'open', 'pric', 'cost', 'glass']
    """
    word = IRREGULAR.get(word, word)
    if len(word) <= 3 or not word.isascii() or word[0].isdigit():
        return word
    for ending, instead in (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("us", "us"), ("is", "is"), ("s", "")):
        if word.endswith(ending):
            word = word[: -len(ending)] + instead
            break
    for ending in ("ingly", "edly", "ing", "ed", "ly"):
        trunk = word[: -len(ending)]
        if word.endswith(ending) and len(trunk) >= 3 and VOWELS & set(trunk):
            word = DOUBLED.sub(lambda match: match.group()[0], trunk)
            break
    if word.endswith("y") and len(word) > 3 and word[-2] not in VOWELS:
        word = word[:-1] + "i"
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
