"""Tells the language of a text that was read: by its script, and for Latin letters by its commonest words."""

from __future__ import annotations

import re
from collections import Counter

UNDETERMINED = "und"
# Scripts that are enough to tell a language, or the one that it most often is.
SCRIPTS = {
    "ja": re.compile(r"[\u3041-\u30ff]"),
    "ko": re.compile(r"[\uac00-\ud7af\u1100-\u11ff]"),
    "zh": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
    "ar": re.compile(r"[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
}
# Kana among Chinese characters: Japanese has about half of each.
LEAST_KANA = 0.1
COMMON_WORDS = {
    "en": "the and of to in is for with on at by from are was this that be or not you your has it as will have we",
    "de": "der die das und ist nicht mit für von den dem des ein eine einer zu auf im zum zur bei wird sich werden",
    "fr": "le la les des et est pas avec pour dans du un une sur au aux que qui ne ce vous nous par sont votre",
    "es": "el los las y es con para por del en una que se su al como más no un lo son este está o sus",
    "it": "il gli e è con per del della di che una si non sono da dei nel le al come più questo un lo alla",
    "pt": "o os as e é com para por do da dos das em uma que se não um ao na no são mais como seu sua",
    "nl": "de het een en is niet met voor van op te dat die in zijn aan er om bij door naar ook wordt uw of",
}
WORDS = {language: frozenset(words.split()) for language, words in COMMON_WORDS.items()}
# So many common words, and so much more often than the next language's, make a language.
LEAST_WORDS, LEAD = 2, 1.5


def language_of(text: str) -> str:
    """Return the language of a text as ISO 639-1, or ``und`` where it cannot be told.

    >>> language_of("Die Gebühr ist bei der Hafenmeisterei zu zahlen."), language_of("合同编号"), language_of("178.25")
    ('de', 'zh', 'und')
    """
    letters = sum(character.isalpha() for character in text)
    counts = {language: len(script.findall(text)) for language, script in SCRIPTS.items()}
    if counts["ja"] > LEAST_KANA * (counts["ja"] + counts["zh"]):
        return "ja"
    script = max(counts, key=lambda language: counts[language])
    if counts[script] > 0.3 * letters:
        return script
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    hits = {language: sum(words[word] for word in common) for language, common in WORDS.items()}
    best, second = sorted(hits, key=lambda language: -hits[language])[:2]
    return best if hits[best] >= LEAST_WORDS and hits[best] >= LEAD * hits[second] else UNDETERMINED
