"""Fits the weights of `tasks/engines/judging.py` to the questions for tuning; prints them. Nothing held out is read.

    .venv/bin/python -m tests.quality.rag.fitting

The loss is that of choosing: among all sentences that may answer and "none of them", whose score is 0, how likely is a
right one (or none, where the document does not say it)? Questions asked of other documents have no answer there.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.engines import judging
from tasks.engines.answering import LOOKED_AT
from tasks.engines.any_file import read_document
from tasks.engines.content_types import content_type_of
from tasks.engines.judging import WEIGHTS, judge
from tasks.engines.matching import parse_question
from tasks.engines.passages import Source, split_source
from tasks.engines.retrieval import Index
from tasks.engines.source_pieces import sources_of
from tests.engines.questions import TUNED
from tests.quality.rag import (
    chinese_further,
    chinese_more,
    chinese_tuning,
    english_further,
    english_more,
    english_tuning,
)
from tests.quality.rag.scoring import outcome_of

TUNING = (english_tuning, english_more, english_further, chinese_tuning, chinese_more, chinese_further)
# Questions asked of a document that they were not made for are many, and easy.
FOREIGN_WEIGHT = 0.1
RIDGE = 0.02
STEPS, RATE = 6000, 0.2


@dataclass(frozen=True)
class Case:
    features: NDArray[np.float64]
    right: NDArray[np.bool_]
    weight: float


def cases() -> list[Case]:
    """Return what there is to choose from for each question."""
    documents = [(Index(split_source(Source(text))), questions) for text, questions in TUNED]
    papers = [paper for papers in TUNING for paper in papers.PAPERS]
    with tempfile.TemporaryDirectory() as folder:
        for paper in papers:
            path = Path(folder) / paper.name
            path.write_bytes(paper.file())
            read = read_document(path, content_type_of(path, paper.name), most_pages=20, most_scans=0)
            passages = [passage for source in sources_of(read) for passage in split_source(source)]
            documents.append((Index(passages), paper.questions))
    found = []
    for place, (index, questions) in enumerate(documents):
        found += [_case(index, question, expected, 1.0) for question, expected in questions.items()]
        for other in (1, 3):
            foreign = documents[(place + other) % len(documents)][1]
            found += [_case(index, question, None, FOREIGN_WEIGHT) for question in foreign]
    return [case for case in found if len(case.features)]


def _case(index: Index, text: str, expected: str | None, weight: float) -> Case:
    question = parse_question(text)
    hits = index.find(text, question, count=LOOKED_AT)
    candidates = [one for one in judge(question, text, hits, index) if one.answers]
    features = [[one.features[name] for name in WEIGHTS] for one in candidates]
    right = [expected is not None and outcome_of(one.sentence, expected) == "right" for one in candidates]
    if expected is not None and not any(right):
        # Not found, or sorted out: nothing to learn from.
        sys.stdout.write(f"no candidate: {text}\n")
        return Case(np.zeros((0, len(WEIGHTS))), np.zeros(0, bool), 0.0)
    return Case(np.array(features).reshape(-1, len(WEIGHTS)), np.array(right, bool), weight)


def fit(known: list[Case]) -> NDArray[np.float64]:
    """Return the bias and the weights: gradient descent on the loss, with a ridge."""
    # One row a candidate, and one of zeros a case for "none", whose score is 0.
    rows = np.concatenate([np.vstack([_with_bias(case.features), np.zeros(len(WEIGHTS) + 1)]) for case in known])
    sizes = np.array([len(case.features) + 1 for case in known])
    right = np.concatenate([np.append(case.right, not case.right.any()) for case in known])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    weights = np.repeat([case.weight for case in known], sizes)
    theta = np.zeros(len(WEIGHTS) + 1)
    for _ in range(STEPS):
        scores = rows @ theta
        shifted = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
        chosen = shifted / np.repeat(np.add.reduceat(shifted, starts), sizes)
        good = np.where(right, shifted, 0.0)
        wanted = good / np.repeat(np.add.reduceat(good, starts), sizes)
        gradient = rows.T @ (weights * (chosen - wanted)) / sum(case.weight for case in known)
        gradient[1:] += RIDGE / 10 * theta[1:]
        theta -= RATE * gradient
    return theta


def _with_bias(features: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([np.ones((len(features), 1)), features])


def main() -> None:
    # All that may answer are to be chosen from, however low today's weights put them.
    judging.LEAST = 0.0
    known = cases()
    bias, *weights = fit(known)
    sys.stdout.write(f"{len(known)} cases\nBIAS = {bias:.2f}\n")
    for name, weight in zip(WEIGHTS, weights, strict=True):
        sys.stdout.write(f'    "{name}": {weight:.2f},\n')


if __name__ == "__main__":
    main()
