"""Answers a question with sentences quoted from passages, or declines when none of them says it.

No text is made up: an answer is one or two sentences of the source. A sentence answers when it, with
what stands around it, covers what the question asks about, and has a value of the kind asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tasks.engines.asked_for import shows
from tasks.engines.embeddings import embed, model_version
from tasks.engines.matching import Evidence, Question, cover, defines, parse_question
from tasks.engines.passages import Passage
from tasks.engines.retrieval import Hit, Index
from tasks.registry import EngineInfo

LOOKED_AT, QUOTED = 12, 5
# Calibrated on questions with and without an answer, see tests/engines/test_answering.py.
LEAST_COVER = 0.62
# What the sentence itself must cover; the rest may stand in its heading and neighbours.
LEAST_OWN_COVER = 0.25
# What is asked about someone or something must be covered too, not only their name.
LEAST_PLAIN_COVER = 0.34
# A second sentence of the same passage is quoted too when it is nearly as good.
NEARLY = 0.92

NOTHING_THERE = "There is no text to look in."
NOT_SAID = "The text does not say it: no passage covers what the question asks about."


@dataclass(frozen=True)
class Finding:
    """The answer, or why there is none; `hits` are the passages looked at, those with the answer first."""

    answer: str | None
    declined: str | None
    hits: list[Hit] = field(default_factory=list)


@dataclass(frozen=True)
class _Candidate:
    """A sentence of a hit, at its `place` in the passage; `answers` when it may be the answer."""

    hit: Hit
    place: int
    score: float
    answers: bool


def engine() -> EngineInfo:
    """Return what answers: BM25 and vectors, with the vectors' weights."""
    from importlib.metadata import version

    from tasks.engines.embeddings import WEIGHTS_SHA256

    return EngineInfo(
        name="bm25s + wordllama, quoting",
        version=f"{version('bm25s')} + {model_version()}",
        sha256=WEIGHTS_SHA256,
        note="answers are quoted from the text, not written by a language model",
    )


def answer_question(text: str, passages: Sequence[Passage], *, check: Callable[[], None]) -> Finding:
    """Return the sentences that answer the question; `check` is called meanwhile and may raise.

    Raises:
        EngineError: the weights are missing.
    """
    if not passages:
        return Finding(None, NOTHING_THERE)
    index = Index(passages, check=check)
    question = parse_question(text)
    candidates = _judge(question, text, index.find(text, count=LOOKED_AT), index)
    answering = [candidate for candidate in candidates if candidate.answers]
    if not answering:
        return Finding(None, _missing(question, index), _nearest(candidates, first=None))
    best = max(answering, key=lambda candidate: candidate.score)
    return Finding(_quote(best, answering), None, _nearest(candidates, first=best.hit.passage))


def _quote(best: _Candidate, answering: list[_Candidate]) -> str:
    """Return the best sentence, with the one before or after it when that is nearly as good."""
    beside = [
        candidate.place
        for candidate in answering
        if candidate.hit is best.hit
        and abs(candidate.place - best.place) == 1
        and candidate.score >= NEARLY * best.score
    ]
    return " ".join(best.hit.passage.sentences[place] for place in sorted([best.place, *beside[:1]]))


def _nearest(candidates: list[_Candidate], *, first: Passage | None) -> list[Hit]:
    """Return the passages with the scores of their best sentences, the best first, the one quoted before all."""
    scores: dict[int, Hit] = {}
    for candidate in candidates:
        passage, known = candidate.hit.passage, scores.get(id(candidate.hit))
        score = round(min(max(candidate.score, 0.0), 1.0), 3)
        if known is None or score > known.score:
            scores[id(candidate.hit)] = Hit(passage, score)
    return sorted(scores.values(), key=lambda hit: (hit.passage is first, hit.score), reverse=True)[:QUOTED]


def _judge(question: Question, text: str, hits: list[Hit], index: Index) -> list[_Candidate]:
    """Return the sentences of the hits with how well each answers the question, from 0 to 1."""
    sentences = [(hit, place) for hit in hits for place in hit.passage.places]
    closeness = embed([hit.passage.sentences[place] for hit, place in sentences]) @ embed([text])[0]
    rarity = _rarity(index)
    candidates = []
    for (hit, place), close in zip(sentences, closeness, strict=True):
        sentence, passage = hit.passage.sentences[place], hit.passage
        elsewhere = index.terms_of_document(passage)
        evidence = cover(question, sentence, f"{passage.context} {passage.text}", rarity=rarity, elsewhere=elsewhere)
        score = 0.7 * evidence.total + 0.15 * evidence.own + 0.1 * max(float(close), 0.0)
        score += 0.05 if defines(question, sentence) else 0.0
        candidates.append(_Candidate(hit, place, score, _answers(question, sentence, evidence)))
    return candidates


def _answers(question: Question, sentence: str, evidence: Evidence) -> bool:
    if evidence.missing_names or not shows(sentence, question.kind):
        return False
    if evidence.own < LEAST_OWN_COVER or evidence.plain < LEAST_PLAIN_COVER:
        return False
    return evidence.total >= LEAST_COVER


def _rarity(index: Index) -> Callable[[str], float]:
    """Return the weight of a term: the fewer passages have it, the more it says (as in BM25)."""
    total = len(index.passages)

    def weigh(term: str) -> float:
        count = index.document_count.get(term, 0)
        # In a text of three passages every word is frequent, so the weights are kept close together.
        return 1.0 + math.log1p((total - count + 0.5) / (count + 0.5)) / math.log1p(2 * total + 1)

    return weigh


def _missing(question: Question, index: Index) -> str:
    unknown = [word for word, term in question.words.items() if term not in index.document_count]
    if not unknown:
        return NOT_SAID
    return f"{NOT_SAID} Nowhere in it: {', '.join(unknown[:5])}."
