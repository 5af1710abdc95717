"""Names the files that tasks were given, so that a list says “report.pdf” and not an id. One query for a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tasks.models import File, Task
from tasks.references import MARK
from tasks.registry import all_types


def name_files(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks, each with `file_names`: the names of its input files that are still there.

    The tasks were read with their content.
    """
    listed = list(tasks)
    ids = {task.pk: list(_file_ids(task)) for task in listed}
    owners = {task.owner_id for task in listed}
    wanted = {file_id for found in ids.values() for file_id in found}
    files = File.objects.filter(pk__in=wanted, owner__in=owners) if wanted else []
    names = {(file.owner_id, str(file.pk)): file.name for file in files}
    for task in listed:
        own = ((task.owner_id, file_id) for file_id in ids[task.pk])
        task.file_names = [names[place] for place in own if place in names]  # type: ignore[attr-defined]
    return listed


def _file_ids(task: Task) -> Iterable[str]:
    definition = all_types().get(task.type)
    content = getattr(task, "content", None)
    if definition is None or content is None or not isinstance(content.input, dict):
        return
    for field in definition.file_fields():
        yield from _ids_in(content.input.get(field))


def _ids_in(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return [value]
    # What comes of another task has no id before that one has ended.
    if isinstance(value, dict) and MARK in value:
        return []
    members = value.values() if isinstance(value, dict) else value or []
    return [id_ for member in members for id_ in _ids_in(member)]
