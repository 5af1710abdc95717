"""Answers a question with sentences quoted from passages, or declines when none of them says it.

No text is made up: an answer is one or two sentences of the source, or the cells of a row. How surely a sentence
answers is judged in `judging`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tasks.engines.embeddings import NAME, WEIGHTS_SHA256, model_version
from tasks.engines.judging import Candidate, judge
from tasks.engines.matching import Question, parse_question
from tasks.engines.passages import Passage
from tasks.engines.retrieval import Hit, Index
from tasks.engines.row_answers import point_at
from tasks.registry import EngineInfo

LOOKED_AT, QUOTED = 12, 5
# A second sentence of the same passage is quoted too when it is nearly as sure.
NEARLY = 0.92

NOTHING_THERE = "There is no text to look in."
NOT_SAID = "The text does not say it: no passage covers what the question asks about."


@dataclass(frozen=True)
class Finding:
    """The answer, or why there is none; `hits` are the passages looked at, those with the answer first."""

    answer: str | None
    declined: str | None
    hits: list[Hit] = field(default_factory=list)


def engine() -> EngineInfo:
    """Return what answers: BM25 and vectors, with the vectors' weights."""
    from importlib.metadata import version

    return EngineInfo(
        name=f"bm25s + {NAME}, quoting",
        version=f"{version('bm25s')} + {model_version()}",
        sha256=WEIGHTS_SHA256,
        note="answers are quoted from the text, not written by a language model",
    )


def answer_question(text: str, index: Index, *, closeness: dict[int, float] | None = None) -> Finding:
    """Return the sentences that answer the question.

    Args:
        closeness: of the index's candidates, where a model server told it.

    Raises:
        EngineError: the weights are missing.
    """
    if not index.passages:
        return Finding(None, NOTHING_THERE)
    question = parse_question(text)
    hits = index.find(text, question, count=LOOKED_AT, closeness=closeness)
    candidates = judge(question, text, hits, index)
    answering = [candidate for candidate in candidates if candidate.answers]
    if not answering:
        return Finding(None, _missing(question, index), _nearest(candidates, first=None))
    best = max(answering, key=lambda candidate: candidate.score)
    return Finding(_quote(question, text, best, answering), None, _nearest(candidates, first=best.hit.passage))


def _quote(question: Question, text: str, best: Candidate, answering: list[Candidate]) -> str:
    """Return the best sentence, with the one before or after it when that is nearly as good; of a row its cells."""
    if best.hit.passage.cells:
        return point_at(question, text, best.hit.passage.cells)
    beside = [
        candidate.place
        for candidate in answering
        if candidate.hit is best.hit
        and abs(candidate.place - best.place) == 1
        and candidate.score >= NEARLY * best.score
    ]
    return " ".join(best.hit.passage.sentences[place] for place in sorted([best.place, *beside[:1]]))


def _nearest(candidates: list[Candidate], *, first: Passage | None) -> list[Hit]:
    """Return the passages with the scores of their best sentences, the best first, the one quoted before all."""
    hits: dict[int, Hit] = {}
    for candidate in candidates:
        known, score = hits.get(candidate.hit.number), round(candidate.score, 3)
        if known is None or score > known.score:
            hits[candidate.hit.number] = replace(candidate.hit, score=score)
    return sorted(hits.values(), key=lambda hit: (hit.passage is first, hit.score), reverse=True)[:QUOTED]


def _missing(question: Question, index: Index) -> str:
    missing = question.missing(index.terms)
    return f"{NOT_SAID} Nowhere in it: {', '.join(missing[:5])}." if missing else NOT_SAID
