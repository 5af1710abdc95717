"""Names the cells of a table's row that answer a question, with the cell that says which row it is."""

from __future__ import annotations

import numpy as np

from tasks.engines.asked_for import shows
from tasks.engines.embeddings import embed
from tasks.engines.matching import Question, cover
from tasks.engines.passages import Cells
from tasks.engines.words import terms_of

# A row of no more cells is short enough to be the answer.
SHORT_ROW = 2
# How much nearer than the next one a column must be to be the one asked for.
LEAST_LEAD = 0.08


def point_at(question: Question, text: str, cells: Cells) -> str:
    """Return the row's first cell, those that the question names, and the one that it asks for; else the whole row.

    "Site: Turin; Head: Paolo Renzi" for "Who runs the Turin site?", without the number of its employees.
    """
    sentence = "; ".join(f"{name}: {cell}" if name else cell for name, cell in cells)
    if len(cells) <= SHORT_ROW:
        return sentence
    own = [cover(question, frozenset(terms_of(cell)), rarity=_equally).own for _, cell in cells]
    given = {0} | {place for place, share in enumerate(own) if share > 0 and share == max(own)}
    asked = _asked_column(question, text, cells, given)
    if asked is None:
        return sentence
    return "; ".join(
        f"{name}: {cell}" if name else cell for place, (name, cell) in enumerate(cells) if place in given | {asked}
    )


def _asked_column(question: Question, text: str, cells: Cells, given: set[int]) -> int | None:
    named = [cover(question, frozenset(terms_of(name)), rarity=_equally).own for name, _ in cells]
    close = (embed([f"{name}: {cell}" for name, cell in cells]) @ embed([text])[0]).tolist()
    scores = np.array([share + max(value, 0.0) for share, value in zip(named, close, strict=True)])
    for place, (name, cell) in enumerate(cells):
        if place in given or not shows(f"{name}: {cell}", question.kind):
            scores[place] = -1.0
    best, second = np.argsort(-scores)[:2]
    return int(best) if scores[best] > 0 and scores[best] - max(scores[second], 0.0) >= LEAST_LEAD else None


def _equally(_term: str) -> float:
    return 1.0
