"""Asks an OpenAI-compatible server for embeddings: vectors of texts, to compare their meaning.

Source: "Embeddings" of OpenAI's API reference, as llama.cpp, vLLM, Ollama and others serve them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.backends.chat import first_model
from tasks.backends.wire import post_json
from tasks.context import Server
from tasks.errors import ServerFailed

AT_ONCE = 64
MAX_ANSWER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Embeddings:
    """A vector for each text, all of one length, in the order of the texts."""

    vectors: list[list[float]]
    model: str

    def closeness_to_first(self) -> list[float]:
        """Return the cosine of each vector after the first with the first, from -1 to 1; 0 where one has no length.

        >>> Embeddings([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 0.0]], "m").closeness_to_first()
        [1.0, 0.0, 0.0]
        """
        first, *others = self.vectors
        length = math.hypot(*first)
        lengths = [length * math.hypot(*vector) for vector in others]
        return [
            sum(map(operator.mul, first, vector)) / both if both else 0.0
            for vector, both in zip(others, lengths, strict=True)
        ]


def embed(server: Server, texts: Sequence[str], *, check: Callable[[], None], model: str = "") -> Embeddings:
    """Return the vectors of texts; `check` is called between requests and may raise.

    Raises:
        ServerFailed: the server failed, or sent something else than a vector for each text.
        GiveUp: the server says that the request is wrong.
    """
    model = model or first_model(server)
    vectors: list[list[float]] = []
    for start in range(0, len(texts), AT_ONCE):
        check()
        part = list(texts[start : start + AT_ONCE])
        answer = post_json(server, "/embeddings", {"model": model, "input": part}, most_bytes=MAX_ANSWER_BYTES)
        vectors += _read_vectors(answer, len(part))
    if len({len(vector) for vector in vectors}) > 1:
        raise ServerFailed("The model server sent vectors of several lengths.", why="nonsense")
    return Embeddings(vectors, model)


def _read_vectors(answer: object, count: int) -> list[list[float]]:
    try:
        rows = sorted(answer["data"], key=lambda row: row["index"])  # type: ignore[index]
        vectors = [[float(value) for value in row["embedding"]] for row in rows]
        numbered = [row["index"] for row in rows] == list(range(count))
    except (TypeError, ValueError, LookupError) as error:
        raise ServerFailed("The model server sent no list of embeddings.", why="nonsense") from error
    if not numbered or not all(vector and all(map(math.isfinite, vector)) for vector in vectors):
        raise ServerFailed("The model server did not send a vector for each text.", why="nonsense")
    return vectors
