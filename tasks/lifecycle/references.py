"""References: ``{"$from": "<task id>", "path": "text"}`` in an input stands for a value of another task's result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tasks import errors
from tasks.models import TaskContent

MARK = "$from"


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
    return list(_walk(value, pointer))


def may_have_references(text: str) -> bool:
    """Return whether JSON text may hold references: cheap, so that inputs without any are not walked."""
    return MARK in text


def resolve_references(value: Any, results: Mapping[UUID, Any]) -> Any:
    """Return the input with each reference replaced by the value it stands for.

    Raises:
        GiveUp: the result is not there (any more), or has nothing at that path.
    """
    if isinstance(value, dict):
        if MARK in value:
            [reference] = _walk(value, "")
            return _look_up(reference, results)
        return {key: resolve_references(member, results) for key, member in value.items()}
    if isinstance(value, list):
        return [resolve_references(member, results) for member in value]
    return value


def read_results(owner_id: int, references: list[Reference]) -> dict[UUID, Any]:
    """Return the results that references name, of tasks of this owner."""
    contents = TaskContent.objects.filter(
        task__in={reference.task for reference in references}, task__owner=owner_id, task__status="succeeded"
    )
    return dict(contents.values_list("task_id", "result"))


def _walk(value: Any, pointer: str) -> Iterator[Reference]:
    if isinstance(value, dict):
        if MARK in value:
            yield _reference(value, pointer)
            return
        for key, member in value.items():
            yield from _walk(member, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list | tuple):
        for number, member in enumerate(value):
            yield from _walk(member, f"{pointer}/{number}")


def _reference(value: dict[str, Any], pointer: str) -> Reference:
    try:
        task = UUID(value[MARK])
        path = value.get("path", "")
        if set(value) - {MARK, "path"} or not isinstance(path, str):
            raise ValueError
    except (ValueError, TypeError, AttributeError):
        detail = 'A reference is {"$from": "<id of a task>", "path": "<field of its result>"}, path being optional.'
        fault = {"pointer": pointer, "code": "invalid_reference", "detail": detail}
        raise errors.InvalidInput(detail, errors=[fault]) from None
    return Reference(pointer, task, path)


def _look_up(reference: Reference, results: Mapping[UUID, Any]) -> Any:
    if reference.task not in results:
        raise errors.GiveUp(f"The result of the task {reference.task} is not there any more.")
    value = results[reference.task]
    for step in reference.path.split(".") if reference.path else []:
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            fields = ", ".join(sorted(value)) if isinstance(value, dict) else type(value).__name__
            raise errors.GiveUp(
                f"The result of the task {reference.task} has nothing at {reference.path!r} (there: {fields[:200]})."
            ) from None
    return value


def copy_plain(value: Any) -> Any:
    """Return an input that could not be validated yet as plain JSON."""
    return json.loads(json.dumps(value, default=str))
