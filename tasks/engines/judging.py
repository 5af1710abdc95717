"""Judges how surely a sentence answers a question: by the words it covers, by its meaning, by the kind of value in it.

The weights are a logistic regression over the sentences of `tests/quality/rag`'s documents for tuning and of
`tests/engines/questions.py`, made by `tests/quality/rag/fitting.py`; documents held out of it are measured only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tasks.engines.asked_for import shows
from tasks.engines.embeddings import Vectors, embed
from tasks.engines.matching import Evidence, Question, cover, defines, match
from tasks.engines.passages import Passage
from tasks.engines.retrieval import Hit, Index
from tasks.engines.words import terms_of
from tasks.engines.words_cjk import CJK, is_cjk, shared_signs

WEIGHTS = {
    "own": 2.67,
    "total": 2.58,
    "close": 1.25,
    "close with heading": 1.30,
    "kind": 0.40,
    "only": 1.23,
    "closest": 1.10,
    "defines": 0.98,
    "plain": 2.63,
    "headed": 0.70,
    "very close": 1.17,
    "signs": 0.67,
    "absent": -2.27,
    "row": 0.06,
    "stray row": -1.80,
}
BIAS = -5.56
# Probabilities from which a sentence is given as an answer.
LEAST = 0.5
# In another language than the question's a sentence has none of its words: its meaning and its kind of value decide.
LEAST_CLOSE_ACROSS = 0.4
# What a question calls in other words than the first cell of the row.
LEAST_LIKE_A_ROW = 0.4


@dataclass(frozen=True)
class Candidate:
    """A sentence of a hit, at its `place` in the passage, with how surely it answers, from 0 to 1."""

    hit: Hit
    place: int
    features: dict[str, float]
    score: float
    answers: bool

    @property
    def sentence(self) -> str:
        return self.hit.passage.sentences[self.place]


def judge(question: Question, text: str, hits: list[Hit], index: Index) -> list[Candidate]:
    """Return the sentences of the hits with how surely each answers the question."""
    sentences = [(hit, place) for hit in hits for place in hit.passage.places]
    asked = embed([text])[0]
    alone = embed([hit.passage.sentences[place] for hit, place in sentences]) @ asked
    headed = embed([_with_heading(hit.passage, place) for hit, place in sentences]) @ asked
    nearest = max(headed.tolist(), default=0.0)
    showing = sum(shows(hit.passage.sentences[place], question.kind) for hit, place in sentences) or 1
    of_files = {hit.passage.source.file: hit.passage for hit in hits}
    absent = {file: index.absent_from_document(question, passage) for file, passage in of_files.items()}
    candidates = []
    for (hit, place), close, close_with_heading in zip(sentences, alone.tolist(), headed.tolist(), strict=True):
        sentence, passage = hit.passage.sentences[place], hit.passage
        inside = frozenset(terms_of(f"{sentence} {passage.hint}"))
        beside = frozenset(terms_of(f"{passage.context} {passage.text}"))
        heading = frozenset(terms_of(passage.heading.rpartition(" › ")[2]))
        evidence = cover(
            question,
            inside,
            beside,
            index.terms_of_document(passage),
            absent_terms=absent[passage.source.file],
            rarity=index.rarity,
        )
        features = {
            "own": evidence.own,
            "total": evidence.total,
            "close": max(close, 0.0),
            "close with heading": max(close, close_with_heading, 0.0),
            "kind": float(bool(question.kind)),
            "only": 1.0 / showing if question.kind else 0.0,
            "closest": float(close_with_heading == nearest),
            "defines": float(defines(question, sentence)),
            "plain": evidence.plain,
            "headed": cover(question, heading, rarity=index.rarity).own,
            "absent": evidence.absent * (1.0 - max(close_with_heading, 0.0)),
            "very close": max(close, close_with_heading, 0.0) ** 2,
            "signs": shared_signs(question.runs, sentence),
            "row": float(bool(passage.cells)),
            "stray row": float(bool(passage.cells) and not _names_a_cell(question, asked, passage, index)),
        }
        # By words nothing can be told of a sentence in another script, so its probability would say little.
        across = _is_of_another_script(question, sentence)
        score = features["close with heading"] if across else probability(features)
        candidates.append(Candidate(hit, place, features, score, _may_answer(question, sentence, evidence, features)))
    return candidates


def probability(features: dict[str, float]) -> float:
    """Return how surely a sentence with these features answers, from 0 to 1."""
    return 1.0 / (1.0 + math.exp(-BIAS - sum(WEIGHTS[name] * value for name, value in features.items())))


def _may_answer(question: Question, sentence: str, evidence: Evidence, features: dict[str, float]) -> bool:
    if evidence.missing_names or not shows(sentence, question.kind):
        return False
    if _is_of_another_script(question, sentence):
        return features["close with heading"] >= LEAST_CLOSE_ACROSS
    return probability(features) >= LEAST


def _names_a_cell(question: Question, asked: Vectors, passage: Passage, index: Index) -> bool:
    """Return whether a question says which row it means: by something in it, not by the names of its columns, nor by
    what half of the rows say.
    """
    terms = frozenset(terms_of(" ".join(cell for _, cell in passage.cells)))
    shared = [term for term in question.terms if match(term, terms)]
    if len(passage.cells) == 1 or any(2 * index.document_count[term] <= index.row_count + 1 for term in shared):
        return True
    return not shared and float(embed([passage.cells[0][1]])[0] @ asked) >= LEAST_LIKE_A_ROW


def _is_of_another_script(question: Question, sentence: str) -> bool:
    # A name in Chinese signs makes no English sentence a Chinese one.
    return CJK.search(sentence) is None if question.runs else is_cjk(sentence)


def _with_heading(passage: Passage, place: int) -> str:
    heading = passage.heading.rpartition(" › ")[2]
    return f"{heading}: {passage.sentences[place]}" if heading else passage.sentences[place]
