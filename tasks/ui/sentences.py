"""Sentences that were written in English, by a worker or long ago, in the reader's language.

Errors, stages and warnings are made where no reader is known, and stored: in English, with their values filled in.
When they are shown, each is found in the catalogue: as it stands, or by the msgid with places in braces that it was
made from ("reading page {number} of {count}"). What no catalogue has stays English. (Decision 0071.)
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import get_language, gettext, gettext_lazy
from django.utils.translation.trans_real import translation as catalogue_of

# A place may say how its value is written: {until:%H:%M}.
PLACE = re.compile(r"\{(\w*)(?::[^}]*)?\}")
# A duration as `tasks.measures` writes it, alone or as the value of a place.
UNITS = {
    "ms": gettext_lazy("{amount} ms"),
    "s": gettext_lazy("{amount} s"),
    "min": gettext_lazy("{amount} min"),
    "h": gettext_lazy("{amount} h"),
    "days": gettext_lazy("{amount} days"),
}
AMOUNT = re.compile(r"(\d[\d.]*) (ms|s|min|h|days)\b")
DURATION = re.compile(rf"(?:≥ )?{AMOUNT.pattern}(?: {AMOUNT.pattern})?")
# Values may be sentences themselves; a sentence of several is taken apart.
DEEPEST = 3
LONGEST = 4000
# What a warning is about, a file mostly, before what it says.
ABOUT = re.compile(r"(.{1,300}?): (?=[A-Z“\d])")
# Patterns of less than this are words between values ("{browser} on {system}"): any sentence has some.
FEW_LETTERS = 3
MANY_PARTS = re.compile(r"[:(]|\.$")
ENDS = re.compile(r"(?<=[.!?]) (?=[A-Z“])")
FULL_STOPS = ("。", "！", "？", "；", "：")


class Pattern(NamedTuple):
    """A msgid with places: the texts between them, their names, and what it says in the other language."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    translated: str

    @property
    def letters(self) -> int:
        """How many characters it says itself, spaces left out."""
        return sum(len(text.replace(" ", "")) for text in self.texts)

    def values_in(self, sentence: str) -> list[str] | None:
        """Return what stands in the places, or None if this is another sentence.

        Each text between places is looked for from where the last one ended. If the sentence fits at all, it fits so:
        there is nothing to go back to, and it takes no longer with more places.
        """
        first, *between, last = self.texts
        if not sentence.startswith(first):
            return None
        found, at = [], len(first)
        for text in between:
            place = sentence.find(text, at + 1)
            if place < 0:
                return None
            found.append(sentence[at:place])
            at = place + len(text)
        end = len(sentence) - len(last)
        if end <= at or not sentence.endswith(last):
            return None
        return [*found, sentence[at:end]]

    def said_with(self, values: list[str]) -> str:
        """Return the translation with the values in their places, which may come in another order there."""
        said = dict(zip(self.names, values, strict=True))
        return PLACE.sub(lambda found: said.get(found[1], found[0]), self.translated)


def in_language(sentence: str) -> str:
    """Return a sentence in the language that is active."""
    language = get_language()
    if not sentence or language is None or language.startswith("en") or len(sentence) > LONGEST:
        return sentence
    return _translated(sentence, language, 0)


def _translated(sentence: str, language: str, depth: int) -> str:
    exact: str = gettext(sentence)
    if exact != sentence or depth == DEEPEST:
        return exact
    if DURATION.fullmatch(sentence):
        return AMOUNT.sub(lambda found: UNITS[found[2]].format(amount=found[1]), sentence)
    patterns = _patterns(language)
    first_word = sentence.split(" ", 1)[0]
    if (said := _said_by(patterns.get(first_word, []), sentence, language, depth)) is not None:
        return said
    if about := ABOUT.match(sentence):
        rest = sentence[about.end() :]
        if (said := _translated(rest, language, depth + 1)) != rest:
            return f"{about[1]}：{said}"
    loose = patterns.get("", [])
    if MANY_PARTS.search(sentence):
        loose = [pattern for pattern in loose if pattern.letters > FEW_LETTERS]
    if (said := _said_by(loose, sentence, language, depth)) is not None:
        return said
    parts = ENDS.split(sentence)
    return _joined([_translated(part, language, depth + 1) for part in parts]) if len(parts) > 1 else sentence


def _said_by(patterns: list[Pattern], sentence: str, language: str, depth: int) -> str | None:
    for pattern in patterns:
        if (values := pattern.values_in(sentence)) is not None:
            return pattern.said_with([_value_in(value, language, depth + 1) for value in values])
    return None


def _value_in(value: str, language: str, depth: int) -> str:
    # A single word is a name or a code: it may stand in a command.
    return _translated(value, language, depth) if " " in value else value


def _joined(parts: list[str]) -> str:
    return "".join(part if part.endswith(FULL_STOPS) else f"{part} " for part in parts).rstrip()


@lru_cache(maxsize=16)
def _patterns(language: str) -> dict[str, list[Pattern]]:
    """Return the catalogue's msgids with places, by their first word, the ones that say most first."""
    found: dict[str, list[Pattern]] = {}
    for msgid, translated in catalogue_of(language)._catalog.items():  # type: ignore[attr-defined]
        key = msgid[0] if isinstance(msgid, tuple) else msgid
        if not translated or "\x04" in key or not PLACE.search(key):
            continue
        texts, names = PLACE.split(key)[::2], PLACE.findall(key)
        word, space, _ = texts[0].partition(" ")
        found.setdefault(word if space else "", []).append(Pattern(tuple(texts), tuple(names), translated))
    for patterns in found.values():
        patterns.sort(key=lambda pattern: -sum(map(len, pattern.texts)))
    return found
