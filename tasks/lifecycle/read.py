"""Reads one task with its content: one statement, no query building."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tasks import errors, sql
from tasks.models import Task, TaskContent


class TaskRow(NamedTuple):
    """Columns of the task, named as the model's fields, then those of its content; what it leaves out is deferred."""

    id: UUID
    owner_id: int
    type: str
    queue_id: str
    lane_id: int
    batch_id: UUID | None
    copy_of: UUID | None
    started_by: UUID | None
    cluster: str
    status: str
    version: int
    priority: int
    priority_requested: int
    priority_reason: str
    line_key: float
    rank: float | None
    size_bucket: int
    attempt_number: int
    attempts_charged: int
    max_attempts: int
    timeout_seconds: int
    keep_seconds: int | None
    progress_fraction: float | None
    progress_stage: str
    error: Any
    cancel_requested_at: datetime | None
    run_after: datetime | None
    start_before: datetime | None
    keep_until: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    content_id: UUID | None
    input: Any
    result: Any
    engine: Any
    usage: Any
    metadata: Any
    tags: list[str] | None
    needs: list[UUID] | None


OWN = TaskRow._fields.index("content_id")
TASK_COLUMNS = TaskRow._fields[:OWN]
CONTENT_COLUMNS = ("task_id", *TaskRow._fields[OWN + 1 :])


def read_task(
    task_id: UUID, owner_id: int | None = None, *, known: int | None = None
) -> tuple[Task, TaskContent | None]:
    """Return a task and its content, which is None when it was purged, and when the task still has the version `known`.

    Raises:
        NotFound: there is no such task, or it is not this owner's.
    """
    row = sql.run_one("lifecycle/read_task", {"task": task_id, "owner": owner_id, "known": known}, row=TaskRow)
    if row is None:
        raise errors.NotFound(f"There is no task {task_id}.")
    task = Task.from_db("default", TASK_COLUMNS, row[:OWN])
    if row.content_id is None:
        return task, None
    return task, TaskContent.from_db("default", CONTENT_COLUMNS, row[OWN:])


def get_task(task_id: UUID) -> Task:
    """Return a task that is known to be there; `task.content` is read with it."""
    task, content = read_task(task_id)
    Task._meta.get_field("content").set_cached_value(task, content)
    return task
