"""Finds one task for a person: their own, or any for an operator."""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from tasks import errors
from tasks.models import Task


def find_task(task_id: UUID, *, owner: User | None, lock: bool = False) -> Task:
    """Return a task; `owner` None sees all of them.

    Raises:
        NotFound: there is none of that id, or it is somebody else's.
    """
    tasks = Task.objects.filter(pk=task_id)
    if owner is not None:
        tasks = tasks.of(owner)
    if lock:
        tasks = tasks.select_for_update(no_key=True)
    task = tasks.first()
    if task is None:
        raise errors.NotFound(f"There is no task {task_id}.")
    return task
