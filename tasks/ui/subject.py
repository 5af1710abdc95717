"""What a task is about: the name that its owner gave it, else its files, its text or its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from tasks.models import Task
from tasks.references import MARK

MOST_TEXTS = 20
MOST_CHARACTERS = 300
ASKED = ("prompt", "question", "query")
# Ids tell nobody anything, however they are written.
ID = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


def subject(task: Task) -> str:
    """Return what a task is about, in a line: its name, the first text of its input, its files, or its numbers.

    Nothing where there is none of these. The files are those of `task.file_names`.
    """
    content = getattr(task, "content", None)
    if content and content.name:
        return str(content.name)
    given = content.input if content and isinstance(content.input, dict) else {}
    # What was asked says more than what it was asked about.
    given = {name: given[name] for name in ASKED if name in given} | given
    texts = [" ".join(text[:MOST_CHARACTERS].split()) for text in islice(_texts_in(given, depth=3), MOST_TEXTS)]
    # A single word is more often a choice, such as a language, than what the task is about.
    sentences = [text for text in texts if " " in text]
    files = getattr(task, "file_names", [])
    names = ", ".join(files[:3]) + (f" + {len(files) - 3}" if len(files) > 3 else "")
    numbers = ", ".join(
        f"{name.replace('_', ' ')} {_plain(value)}" for name, value in given.items() if _is_number(value)
    )
    return next((words for words in (*sentences, names, *texts, numbers) if words), "")


def _texts_in(value: Any, *, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if not ID.fullmatch(value):
            yield value
    elif depth and isinstance(value, dict | list):
        # What stands for another task's result says nothing of its own.
        members = [] if isinstance(value, dict) and MARK in value else _members(value)
        for member in members:
            yield from _texts_in(member, depth=depth - 1)


def _members(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
