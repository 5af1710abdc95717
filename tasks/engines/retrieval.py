"""Finds the passages nearest to a question: by words (BM25) and by meaning (vectors), fused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import bm25s
import numpy as np

from tasks.engines.embeddings import Vectors, embed
from tasks.engines.passages import Passage
from tasks.engines.words import terms_of

# It sets itself to DEBUG and reports every index that it builds.
logging.getLogger("bm25s").setLevel(logging.WARNING)

# Cormack, Clarke, Büttcher, "Reciprocal rank fusion outperforms Condorcet", SIGIR 2009.
RRF_CONSTANT = 60
EMBED_AT_ONCE = 1000


@dataclass(frozen=True)
class Hit:
    """A passage with its place in the fused ranking: 1.0 would be first by words and by meaning."""

    passage: Passage
    score: float


class Index:
    """Passages, ready to be asked. `check` is called while it is built and may raise."""

    def __init__(self, passages: Sequence[Passage], *, check: Callable[[], None]) -> None:
        self.passages = list(passages)
        self._terms = [terms_of(f"{passage.context} {passage.text}") for passage in self.passages]
        self.document_count: dict[str, int] = {}
        for terms in self._terms:
            for term in set(terms):
                self.document_count[term] = self.document_count.get(term, 0) + 1
        self._by_document: dict[object, set[str]] = {}
        for passage, terms in zip(self.passages, self._terms, strict=True):
            self._by_document.setdefault(passage.source.file, set()).update(terms)
        self._by_words = bm25s.BM25()
        if self.document_count:
            self._by_words.index(self._terms, show_progress=False)
        self._vectors = self._embed(check)

    def terms_of_document(self, passage: Passage) -> frozenset[str]:
        """Return all terms of the document that a passage is from."""
        return frozenset(self._by_document[passage.source.file])

    def _embed(self, check: Callable[[], None]) -> Vectors:
        parts = [np.zeros((0, 256), dtype=np.float32)]
        for start in range(0, len(self.passages), EMBED_AT_ONCE):
            check()
            some = self.passages[start : start + EMBED_AT_ONCE]
            parts.append(embed([f"{passage.heading} {passage.text}" for passage in some]))
        return np.concatenate(parts)

    def find(self, question: str, *, count: int) -> list[Hit]:
        """Return the nearest passages, the best first."""
        if not self.document_count:
            return []
        known = [term for term in terms_of(question) if term in self.document_count]
        by_words = self._by_words.get_scores(known) if known else np.zeros(len(self.passages))
        by_meaning = self._vectors @ embed([question])[0]
        fused = _reciprocal_ranks(by_words, only_positive=True) + _reciprocal_ranks(by_meaning)
        best = np.argsort(-fused, kind="stable")[:count]
        full = 2.0 / (RRF_CONSTANT + 1)
        return [Hit(self.passages[place], float(fused[place] / full)) for place in best]


def _reciprocal_ranks(scores: np.ndarray, *, only_positive: bool = False) -> np.ndarray:
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    reciprocal = 1.0 / (RRF_CONSTANT + ranks)
    return np.where(scores > 0, reciprocal, 0.0) if only_positive else reciprocal
