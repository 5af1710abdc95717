"""References: ``{"$from": "<task id>", "path": "text"}`` in an input stands for a value of another task's result."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tasks import errors
from tasks.measures import size_text
from tasks.models import TaskContent
from tasks.pointers import pointer_to, walk

MARK = "$from"
# Two letters in an input may stand for megabytes, and many may stand for the same: all of them together, as JSON.
MAX_RESOLVED_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Reference:
    """Where it stands (an RFC 6901 pointer), the task it names, and the dotted path into that task's result."""

    pointer: str
    task: UUID
    path: str


def find_references(value: Any, pointer: str = "/input") -> list[Reference]:
    """Return the references in an input.

    Raises:
        InvalidInput: something that begins like a reference is none.
    """
    # A reference holds texts alone, so nothing below one is taken for another.
    return [
        _reference(member, pointer_to(keys, pointer))
        for keys, member in walk(value)
        if isinstance(member, dict) and MARK in member
    ]


def may_have_references(text: str) -> bool:
    """Return whether JSON text may hold references: cheap, so that inputs without any are not walked."""
    return MARK in text


def resolve_references(value: Any, read: Callable[[UUID], Any]) -> Any:
    """Return the input with each reference replaced by the value it stands for.

    Args:
        read: gives the result of a task, None where there is none; asked once for each task, and only what is
            referred to is kept, so that no more than one result is in memory.

    Raises:
        GiveUp: a result is not there (any more), has nothing at that path, or all are too much for an input.
    """
    wanted: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for reference in find_references(value):
        wanted[reference.task][reference.path] += 1
    values: dict[tuple[UUID, str], Any] = {}
    size = 0
    for task, paths in wanted.items():
        result = read(task)
        if result is None:
            raise errors.GiveUp(f"The result of the task {task} is not there any more.")
        for path, count in paths.items():
            found = _look_up(task, path, result)
            size += count * len(json.dumps(found))
            if size > MAX_RESOLVED_BYTES:
                most = size_text(MAX_RESOLVED_BYTES)
                raise errors.GiveUp(f"What the references in the input stand for has more than {most}.")
            values[task, path] = found
    return _replaced(value, values)


def read_result(owner_id: int, task: UUID) -> Any:
    """Return the result of a task of this owner; None where there is none (any more)."""
    contents = TaskContent.objects.filter(task=task, task__owner=owner_id, task__status="succeeded")
    return contents.values_list("result", flat=True).first()


def _replaced(value: Any, values: Mapping[tuple[UUID, str], Any]) -> Any:
    if isinstance(value, dict):
        if MARK in value:
            reference = _reference(value, "")
            return values[reference.task, reference.path]
        return {key: _replaced(member, values) for key, member in value.items()}
    if isinstance(value, list):
        return [_replaced(member, values) for member in value]
    return value


def _reference(value: dict[str, Any], pointer: str) -> Reference:
    try:
        task = UUID(value[MARK])
        path = value.get("path", "")
        if set(value) - {MARK, "path"} or not isinstance(path, str):
            raise ValueError
    except (ValueError, TypeError, AttributeError):
        detail = 'A reference is {"$from": "<id of a task>", "path": "<field of its result>"}, path being optional.'
        raise errors.InvalidDependency.at(pointer, "invalid_reference", detail) from None
    return Reference(pointer, task, path)


def _look_up(task: UUID, path: str, result: Any) -> Any:
    value = result
    for step in path.split(".") if path else []:
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            fields = ", ".join(sorted(value)) if isinstance(value, dict) else type(value).__name__
            raise errors.GiveUp(
                f"The result of the task {task} has nothing at {path!r} (there: {fields[:200]})."
            ) from None
    return value


def copy_plain(value: Any) -> Any:
    """Return an input that could not be validated yet as plain JSON."""
    return json.loads(json.dumps(value, default=str))
