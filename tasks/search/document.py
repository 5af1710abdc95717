"""The text of a task that is searched: what it is called by, what it was given, what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tasks.models import Task

# About forty pages. What stands behind that is not found.
MOST_CHARACTERS = 100_000
MOST_OF_NAMES = 2_000
BREAK = "\f"
# Members of inputs and results that are nobody's words, or that hold what gives access to something.
LEFT_OUT = frozenset({
    "api_key", "authorization", "cookie", "engine", "file", "files", "headers", "key", "kind", "password", "secret",
    "secrets", "srt", "token", "tokens", "vtt",
})  # fmt: skip
# Ids, digests and encoded bytes: long, and without a blank.
NO_WORDS = re.compile(r"[0-9a-fA-F-]{32,}|[A-Za-z0-9+/=_-]{100,}")


def text_of(task: Task, file_names: Sequence[str]) -> tuple[str, str]:
    """Return what a task is called by, and its other text. It was read with its content."""
    content = task.content
    names = "\n".join([content.name, *file_names, *content.tags]).strip()
    pieces: list[str] = []
    known: set[str] = set()
    left = MOST_CHARACTERS
    for piece in _texts_in([content.input, content.result]):
        words = piece[:left].replace(BREAK, " ").split()
        plain = " ".join(words)
        # Results have the same text in several shapes: whole, by line, by word.
        if plain and plain not in known and not (len(words) == 1 and NO_WORDS.fullmatch(plain)):
            pieces.append(plain)
            known.update(words, [plain])
            left -= len(plain) + 1
        if left <= 0:
            break
    return names[:MOST_OF_NAMES].replace(BREAK, " "), "\n".join(pieces)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for member in value:
            yield from _texts_in(member)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name.lower() not in LEFT_OUT:
                yield from _texts_in(member)
