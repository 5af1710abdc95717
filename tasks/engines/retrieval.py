"""Finds the passages nearest to a question: by words (BM25) and by meaning (vectors), fused."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bm25s
import numpy as np
from numpy.typing import NDArray

from tasks.engines.embeddings import embed
from tasks.engines.matching import Question, Terms, match
from tasks.engines.passages import Passage
from tasks.engines.words import terms_of

# It sets itself to DEBUG and reports every index that it builds.
logging.getLogger("bm25s").setLevel(logging.WARNING)

# Cormack, Clarke, Büttcher, "Reciprocal rank fusion outperforms Condorcet", SIGIR 2009.
RRF_CONSTANT = 60
# So many passages are compared by meaning, a few milliseconds each: all, or those nearest by words.
COMPARED = 300
# Where a question has hardly a word in common with the text, as in another language, meaning is all there is.
COMPARED_WITHOUT_WORDS = 1_500
LEAST_BY_WORDS = 12

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Hit:
    """A passage with its number and its place in the fused ranking: 1.0 would be first by words and by meaning."""

    passage: Passage
    number: int
    score: float


class Index:
    """Passages, ready to be asked."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = list(passages)
        terms = [terms_of(f"{passage.context} {passage.text}") for passage in self.passages]
        self.document_count = Counter(term for some in terms for term in set(some))
        # Rows of all tables; of those of one there are no more.
        self.row_count = sum(bool(passage.cells) for passage in self.passages)
        documents: dict[object, set[str]] = {}
        for passage, some in zip(self.passages, terms, strict=True):
            documents.setdefault(passage.source.file, set()).update(some)
        self._documents = {file: frozenset(some) for file, some in documents.items()}
        self._by_words = bm25s.BM25()
        if self.document_count:
            self._by_words.index(terms, show_progress=False)

    @property
    def terms(self) -> Terms:
        """All terms of all passages."""
        return frozenset(self.document_count)

    def terms_of_document(self, passage: Passage) -> Terms:
        """Return all terms of the document that a passage is from."""
        return self._documents[passage.source.file]

    def absent_from_document(self, question: Question, passage: Passage) -> Terms:
        """Return the terms of a question's words that a passage's document has nothing like."""
        terms = self.terms_of_document(passage)
        return frozenset(term for term in question.words.values() if not match(term, terms))

    def rarity(self, term: str) -> float:
        """Return the weight of a term: the fewer passages have it, the more it says (as in BM25)."""
        total, count = len(self.passages), self.document_count.get(term, 0)
        # In a text of three passages every word is frequent, so the weights are kept close together.
        return 1.0 + math.log1p((total - count + 0.5) / (count + 0.5)) / math.log1p(2 * total + 1)

    def by_words(self, question: Question) -> Scores:
        """Return the score of each passage by the words that it shares with the question, 0 for none."""
        known = [term for term in question.terms if term in self.document_count]
        if not known:
            return np.zeros(len(self.passages))
        return np.asarray(self._by_words.get_scores(known), dtype=np.float64)

    def candidates(self, question: Question) -> list[int]:
        """Return the numbers of the passages to be compared by meaning, those nearest by words first."""
        scores = self.by_words(question)
        shared = int(np.count_nonzero(scores))
        most = COMPARED if shared >= LEAST_BY_WORDS else COMPARED_WITHOUT_WORDS
        return [int(number) for number in np.argsort(-scores, kind="stable")[:most]]

    def find(
        self, text: str, question: Question, *, count: int, closeness: Mapping[int, float] | None = None
    ) -> list[Hit]:
        """Return the nearest passages, the best first.

        Args:
            closeness: that of the candidates to the question, by their numbers, where a model server told it.
        """
        if not self.passages:
            return []
        if closeness is None:
            closeness = self._compare(text, self.candidates(question))
        by_meaning = np.full(len(self.passages), -1.0)
        by_meaning[list(closeness)] = list(closeness.values())
        fused = _reciprocal_ranks(self.by_words(question), above=0.0) + _reciprocal_ranks(by_meaning, above=-1.0)
        best = np.argsort(-fused, kind="stable")[:count]
        full = 2.0 / (RRF_CONSTANT + 1)
        return [Hit(self.passages[number], int(number), float(fused[number] / full)) for number in best]

    def _compare(self, text: str, numbers: list[int]) -> dict[int, float]:
        vectors = embed([meaning_of(self.passages[number]) for number in numbers])
        return dict(zip(numbers, (vectors @ embed([text])[0]).tolist(), strict=True))


def meaning_of(passage: Passage) -> str:
    """Return the text by which a passage is compared: with the heading above it, unless it begins with that."""
    heading = passage.heading.rpartition(" › ")[2]
    return passage.text if passage.text.startswith(heading) else f"{heading}: {passage.text}"


def _reciprocal_ranks(scores: Scores, *, above: float) -> Scores:
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return np.asarray(np.where(scores > above, 1.0 / (RRF_CONSTANT + ranks), 0.0))
