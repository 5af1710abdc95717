"""Compares a question with a sentence: how much of what the question asks about the sentence covers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from tasks.engines.asked_for import Kind, kind_asked
from tasks.engines.embeddings import Vectors, embed
from tasks.engines.word_lists import read_list
from tasks.engines.words import SILENT, stem, terms_of, words_of

# A word in the sentence counts fully; of the same root, of like meaning, in heading or neighbours, elsewhere in
# the document: ever less.
SAME_ROOT, ALIKE, BESIDE, ELSEWHERE = 0.9, 0.8, 0.7, 0.35
# Cosine from which two words are taken as alike; below, WordLlama pairs what merely belongs to one subject.
LEAST_LIKENESS = 0.62
SHORTEST_ROOT = 5
# A form's line, "Weight: 2.8 kg", says what it is about in front of the colon.
LABEL_BONUS = 0.2
LABEL = re.compile(r"^[\s\-*•]*([^:]{2,40}):\s+\S")
FAINT = frozenset(stem(word) for line in read_list("faint_words") for word in line)
FAINT_WEIGHT = 0.3
# Names and numbers say which of many like things is meant.
NAME_WEIGHT = 1.6


@dataclass(frozen=True)
class Question:
    """A question's `words` with their terms, the terms that are names or numbers, and the kind of answer asked for."""

    words: dict[str, str]
    names: frozenset[str]
    kind: Kind


@dataclass(frozen=True)
class Evidence:
    """How much of a question is covered, from 0 to 1: by a sentence itself, and with what stands around it.

    `plain` is `total` without names and numbers, 1 where the question has nothing else.
    """

    own: float
    total: float
    plain: float
    missing_names: frozenset[str]


def parse_question(text: str) -> Question:
    """Return what a question asks about and for."""
    words = {word: stem(word) for word in words_of(text) if word not in SILENT}
    names = {stem(part) for name in _names_in(text) for part in words_of(name)}
    coded = {term for term in words.values() if any(character.isdigit() for character in term)}
    return Question(words, frozenset((names & set(words.values())) | coded), kind_asked(text))


def cover(
    question: Question,
    sentence: str,
    around: str,
    *,
    rarity: Callable[[str], float],
    elsewhere: frozenset[str] = frozenset(),
) -> Evidence:
    """Weigh which terms of the question a sentence and its surroundings cover; rare terms weigh more.

    Args:
        around: heading and neighbours of the sentence.
        elsewhere: the terms of the rest of its document.
    """
    inside, beside = frozenset(terms_of(sentence)), frozenset(terms_of(around))
    own = total = whole = plain = plain_whole = 0.0
    missing = set()
    for word, term in question.words.items():
        weight = rarity(term) * (NAME_WEIGHT if term in question.names else FAINT_WEIGHT if term in FAINT else 1.0)
        here = _match(word, term, inside, sentence)
        near = max(here, BESIDE * _match(word, term, beside, around), ELSEWHERE * (term in elsewhere))
        own, total, whole = own + weight * here, total + weight * near, whole + weight
        if term not in question.names:
            plain, plain_whole = plain + weight * near, plain_whole + weight
        elif near < ELSEWHERE:
            missing.add(term)
    if not whole:
        return Evidence(0.0, 0.0, 0.0, frozenset())
    bonus = LABEL_BONUS if _is_labelled(question, sentence) else 0.0
    return Evidence(
        own=own / whole,
        total=min(1.0, total / whole + bonus),
        plain=plain / plain_whole if plain_whole else 1.0,
        missing_names=frozenset(missing),
    )


def defines(question: Question, sentence: str) -> bool:
    """Return whether a sentence sets the thing asked about in brackets or behind a colon: "Ms Raman (the tenant)"."""
    bracketed = {term for part in re.findall(r"\(([^)]{2,60})\)", sentence) for term in terms_of(part)}
    return bool(bracketed & set(question.words.values())) or _is_labelled(question, sentence)


def _is_labelled(question: Question, sentence: str) -> bool:
    label = LABEL.match(sentence)
    terms = terms_of(label[1]) if label else []
    asked = frozenset(question.words.values()) - question.names
    # "Lighthouse Works: annual report" has a name in front of its colon, and answers nothing about it.
    return (
        bool(terms) and set(terms) <= asked | question.names | _synonyms_of(asked) and not set(terms) <= question.names
    )


def _match(word: str, term: str, terms: frozenset[str], text: str) -> float:
    if term in terms:
        return 1.0
    if any(character.isdigit() for character in term):
        return 0.0
    if any(_same_root(term, other) for other in terms):
        return SAME_ROOT
    if _synonyms().get(term, frozenset()) & terms:
        return ALIKE
    others = tuple(sorted({other for other in words_of(text) if other not in SILENT and other.isalpha()}))
    likeness = (
        float(value)
        for value, other in zip(_likeness(word, others), others, strict=True)
        if (term, stem(other)) not in _opposites()
    )
    nearest = max(likeness, default=0.0)
    return ALIKE * min(1.0, nearest / 0.8) if nearest >= LEAST_LIKENESS else 0.0


def _same_root(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    return shorter >= SHORTEST_ROOT and one[:shorter] == other[:shorter] and abs(len(one) - len(other)) <= 4


def _names_in(text: str) -> list[str]:
    """Return the capitalised words that do not begin a sentence, and words in quotes."""
    quoted = re.findall(r"[\"“„]([^\"”“]{2,60})[\"”“]", text)
    capitalised = re.findall(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w-]*", text.strip())
    return quoted + [word for word in capitalised if word.lower() not in SILENT]


def _synonyms_of(terms: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(_synonyms().get(term, frozenset()) for term in terms))


@cache
def _synonyms() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for first, *others in read_list("synonyms"):
        # The first word of a line stands for all others, the others for the first: "heavy" is not "mass" is not "kg".
        terms = frozenset(stem(other) for other in others)
        found[stem(first)] = found.get(stem(first), frozenset()) | terms
        for term in terms:
            found[term] = found.get(term, frozenset()) | {stem(first)}
    return found


@cache
def _opposites() -> frozenset[tuple[str, str]]:
    pairs = [(stem(one), stem(other)) for one, other in read_list("opposites")]
    return frozenset(pairs) | frozenset((other, one) for one, other in pairs)


def _likeness(word: str, others: tuple[str, ...]) -> Vectors:
    if not others:
        return np.zeros(0, dtype=np.float32)
    return np.asarray(np.stack([_vector(other) for other in others]) @ _vector(word), dtype=np.float32)


@lru_cache(maxsize=20_000)
def _vector(word: str) -> Vectors:
    return np.asarray(embed([word])[0], dtype=np.float32)
