"""Reads one task with its content: one statement, no query building."""

from __future__ import annotations

from uuid import UUID

from tasks import sql
from tasks.models import Task, TaskContent

# The columns of `read_task.sql`, in the order of the model; what it leaves out is deferred.
TASK_COLUMNS = (
    "id", "owner_id", "type", "queue_id", "lane_id", "batch_id", "copy_of", "started_by", "cluster", "status",
    "version", "priority", "priority_requested", "priority_reason", "line_key", "rank", "size_bucket",
    "attempt_number", "attempts_charged", "max_attempts", "timeout_seconds", "keep_seconds", "progress_fraction",
    "progress_stage", "error", "cancel_requested_at", "run_after", "start_before", "keep_until", "created_at",
    "started_at", "finished_at",
)  # fmt: skip
CONTENT_COLUMNS = ("task_id", "input", "result", "engine", "usage", "metadata", "tags", "needs")


def read_task(
    task_id: UUID, owner_id: int | None = None, *, known: int | None = None
) -> tuple[Task, TaskContent | None] | None:
    """Return a task and its content, or None when there is no such task, or it is not this owner's.

    The content is None when it was purged, and when the task still has the version `known`.
    """
    row = sql.run_one("lifecycle/read_task", {"task": task_id, "owner": owner_id, "known": known})
    if row is None:
        return None
    values = tuple(row)
    own = len(TASK_COLUMNS)
    task = Task.from_db("default", TASK_COLUMNS, values[:own])
    if row.content_id is None:
        return task, None
    return task, TaskContent.from_db("default", CONTENT_COLUMNS, values[own:])


def get_task(task_id: UUID) -> Task:
    """Return a task that is known to be there; `task.content` is read with it."""
    found = read_task(task_id)
    assert found is not None, "tasks are never deleted while they are being worked with"
    task, content = found
    Task._meta.get_field("content").set_cached_value(task, content)
    return task
