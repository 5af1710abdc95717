"""Compares a question with a sentence by their words: how much of what the question asks about the sentence covers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tasks.engines.asked_for import Kind, kind_asked
from tasks.engines.word_lists import read_list
from tasks.engines.words import SILENT, stem, terms_of, words_of
from tasks.engines.words_cjk import CJK, asked_runs, bigrams, covered, missing_parts

# A word in the sentence counts fully; of the same root, of like meaning, in heading or neighbours, elsewhere in
# the document: ever less.
SAME_ROOT, ALIKE, BESIDE, ELSEWHERE = 0.9, 0.8, 0.7, 0.35
SHORTEST_ROOT = 5
# Deep, deeper, deepest.
SHORTEST_COMPARED = 4
# A form's line, "Weight: 2.8 kg", says what it is about in front of the colon.
LABEL = re.compile(r"^[\s\-*•]*([^:：]{2,40})[:：]\s*\S")
BRACKETED = re.compile(r"[(（]([^)）]{2,60})[)）]")
IS, CHINESE_IS = r"\s+(?:is|are|was|were|costs?|takes?|has|runs|begins|ends)\b", r"(?:是|为|共|达|约|有|至|不)"
FAINT = frozenset(stem(word) for line in read_list("faint_words") for word in line)
FAINT_WEIGHT = 0.3
# Names and numbers say which of many like things is meant.
NAME_WEIGHT = 1.6

Terms = frozenset[str]


@dataclass(frozen=True)
class Question:
    """What a question asks about: `words` with their terms, `runs` of writing without spaces, which terms are names
    or numbers; and the kind of answer that it asks for.
    """

    words: dict[str, str]
    runs: tuple[str, ...]
    names: Terms
    kind: Kind

    @property
    def terms(self) -> Terms:
        return frozenset(self.words.values()) | {pair for run in self.runs for pair in bigrams(run)}

    def missing(self, terms: Terms) -> list[str]:
        """Return the words, or parts of runs, that a text of these terms has nothing of."""
        words = [word for word, term in self.words.items() if not match(term, terms)]
        return words + [part for run in self.runs for part in missing_parts(run, terms)]


@dataclass(frozen=True)
class Evidence:
    """How much of a question is covered, from 0 to 1: by a sentence itself, and with what stands around it.

    `plain` is `total` without names and numbers, 1 where the question has nothing else; `absent` the share of which the
    whole document has nothing.
    """

    own: float
    total: float
    plain: float
    absent: float
    missing_names: Terms


def parse_question(text: str) -> Question:
    """Return what a question asks about and for."""
    words = {word: stem(word) for word in words_of(text) if word not in SILENT and not CJK.match(word)}
    names = {stem(part) for name in _names_in(text) for part in words_of(name)}
    coded = {term for term in words.values() if any(character.isdigit() for character in term)}
    return Question(words, tuple(asked_runs(text)), frozenset((names & set(words.values())) | coded), kind_asked(text))


def match(term: str, terms: Terms) -> float:
    """Return how well a term is matched among others, from 0 to 1: itself, by its root, by a word of like meaning."""
    if term in terms:
        return 1.0
    if any(character.isdigit() for character in term):
        return 0.0
    if _has_same_root(term, terms):
        return SAME_ROOT
    return ALIKE if _synonyms().get(term, frozenset()) & terms else 0.0


def cover(
    question: Question,
    inside: Terms,
    beside: Terms = frozenset(),
    elsewhere: Terms = frozenset(),
    *,
    absent_terms: Terms = frozenset(),
    rarity: Callable[[str], float],
) -> Evidence:
    """Weigh which terms of the question a sentence and its surroundings cover; rare terms weigh more.

    Args:
        inside: the sentence's terms; beside: its heading's and neighbours'; elsewhere: the whole document's.
        absent_terms: those of the question that match none of the document's: looked for once, not for each sentence.
    """
    own = total = whole = plain = plain_whole = absent = 0.0
    missing = set()
    for term in question.words.values():
        weight = rarity(term) * (NAME_WEIGHT if term in question.names else FAINT_WEIGHT if term in FAINT else 1.0)
        here = match(term, inside)
        near = max(here, BESIDE * match(term, beside), ELSEWHERE * (term in elsewhere))
        own, total, whole = own + weight * here, total + weight * near, whole + weight
        absent += weight * (near == 0.0 and term in absent_terms)
        if term not in question.names:
            plain, plain_whole = plain + weight * near, plain_whole + weight
        elif near < ELSEWHERE:
            missing.add(term)
    for run in question.runs:
        pairs = bigrams(run)
        weight = len(run) / 2 * sum(map(rarity, pairs)) / len(pairs)
        here = covered(run, inside)
        near = max(here, BESIDE * covered(run, inside | beside), ELSEWHERE * covered(run, elsewhere))
        own, total, whole = own + weight * here, total + weight * near, whole + weight
        absent += weight * (1.0 - covered(run, elsewhere))
        plain, plain_whole = plain + weight * near, plain_whole + weight
    if not whole:
        return Evidence(0.0, 0.0, 0.0, 1.0, frozenset())
    return Evidence(
        own=own / whole,
        total=total / whole,
        plain=plain / plain_whole if plain_whole else 1.0,
        absent=absent / whole,
        missing_names=frozenset(missing),
    )


def defines(question: Question, sentence: str) -> bool:
    """Return whether a sentence says what is asked about: "Ms Raman (the tenant)", "Rent: 900", "租金为900元"."""
    bracketed = {term for part in BRACKETED.findall(sentence) for term in terms_of(part)}
    if bracketed & question.terms or is_labelled(question, sentence):
        return True
    said = [re.escape(word) + IS for word in question.words] + [
        re.escape(run[-2:]) + CHINESE_IS for run in question.runs
    ]
    return re.search("|".join(said), sentence, re.IGNORECASE) is not None if said else False


def is_labelled(question: Question, sentence: str) -> bool:
    """Return whether a sentence is a line of a form whose label is what the question asks for."""
    label = LABEL.match(sentence)
    terms = set(terms_of(label[1])) if label else set()
    asked = question.terms - question.names
    # "Lighthouse Works: annual report" has a name in front of its colon, and answers nothing about it; "E24: …" does.
    names = {name for name in question.names if not any(character.isdigit() for character in name)}
    return bool(terms) and terms <= asked | question.names | _synonyms_of(asked) and not terms <= names


def _has_same_root(term: str, terms: Terms) -> bool:
    if len(term) >= SHORTEST_COMPARED and (f"{term}er" in terms or f"{term}est" in terms):
        return True
    if len(term) < SHORTEST_ROOT:
        return False
    # A document has hundreds of thousands of terms: nearly all of them begin with something else.
    root = term[:SHORTEST_ROOT]
    return any(other.startswith(root) and _continues(term, other) for other in terms)


def _continues(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter] and abs(len(one) - len(other)) <= 4


def _names_in(text: str) -> list[str]:
    """Return the capitalised words that do not begin a sentence, and words in quotes."""
    quoted = re.findall(r"[\"“„]([^\"”“]{2,60})[\"”“]", text)
    capitalised = re.findall(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w-]*", text.strip())
    return quoted + [word for word in capitalised if word.lower() not in SILENT]


def _synonyms_of(terms: Terms) -> Terms:
    return frozenset().union(*(_synonyms().get(term, frozenset()) for term in terms))


@cache
def _synonyms() -> dict[str, Terms]:
    found: dict[str, Terms] = {}
    for first, *others in read_list("synonyms"):
        # The first word of a line stands for all others, the others for the first: "heavy" is not "mass" is not "kg".
        terms = frozenset(stem(other) for other in others)
        found[stem(first)] = found.get(stem(first), frozenset()) | terms
        for term in terms:
            found[term] = found.get(term, frozenset()) | {stem(first)}
    return found
