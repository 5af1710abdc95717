"""The child's side of `asking`: cuts sources into passages, finds the nearest and quotes from them."""

from __future__ import annotations

from typing import Any

from tasks.engines import answering, embeddings
from tasks.engines.contained import Tell
from tasks.engines.matching import parse_question
from tasks.engines.passages import Piece, Source, split_source
from tasks.engines.retrieval import Index, meaning_of
from tasks.errors import InputTooLarge

MAX_PASSAGES = 50_000


def candidates(tell: Tell, *, question: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the texts of the passages that a model server is to compare with the question, by their numbers.

    Raises:
        InputTooLarge: the sources are more passages than one question looks through.
    """
    tell(0.8, "finding the nearest passages")
    index = _index(sources)
    numbers = index.candidates(parse_question(question))
    return {"numbers": numbers, "texts": [meaning_of(index.passages[number]) for number in numbers]}


def answer(
    tell: Tell, *, question: str, sources: list[dict[str, Any]], closeness: list[tuple[int, float]] | None = None
) -> dict[str, Any]:
    """Return the answer and its passages, each with the number of its source.

    Raises:
        InputTooLarge: the sources are more passages than one question looks through.
    """
    tell(0.8, "finding the answer" if embeddings.is_loaded() else "loading the engine, finding the answer")
    told = None if closeness is None else {int(number): close for number, close in closeness}
    finding = answering.answer_question(question, _index(sources), closeness=told)
    quotes = [
        {
            "text": hit.passage.text,
            "score": hit.score,
            "source": hit.passage.source.number,
            "heading": hit.passage.heading,
            "box": hit.passage.box,
        }
        for hit in finding.hits
    ]
    return {"answer": finding.answer, "declined": finding.declined, "quotes": quotes}


def _index(sources: list[dict[str, Any]]) -> Index:
    passages = [passage for source in sources for passage in split_source(_source(source))]
    if len(passages) > MAX_PASSAGES:
        raise InputTooLarge("The files hold more text than one question looks through. Name fewer files.")
    return Index(passages)


def _source(plain: dict[str, Any]) -> Source:
    pieces = tuple(
        Piece(**piece | {"box": _box(piece["box"]), "cells": tuple(map(tuple, piece["cells"]))})
        for piece in plain["pieces"]
    )
    return Source(**plain | {"pieces": pieces})


def _box(numbers: list[float] | None) -> Any:
    return None if numbers is None else tuple(numbers)
