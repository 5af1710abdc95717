"""Reads one task with its content: one statement, no query building."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tasks import errors, sql
from tasks.models import Task, TaskContent
from tasks.statuses import TERMINAL, Status, entity_tag, shown_status


class TaskRow(NamedTuple):
    """Columns of the task, named as the model's fields, then those of its content, of which JSON is left as text.

    Without `content_id` the task was purged, or has the version that the reader knows.
    """

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
    input: str | None
    result: str | None
    engine: str | None
    usage: str | None
    metadata: str | None
    tags: list[str] | None
    needs: list[UUID] | None
    name: str | None

    # As the model has them.

    @property
    def shown_status(self) -> str:
        return shown_status(self.status, self.cancel_requested_at)

    @property
    def done(self) -> bool:
        return self.status in TERMINAL

    @property
    def attempts_counted(self) -> int:
        return self.attempts_charged + (self.status == Status.RUNNING)

    @property
    def etag(self) -> str:
        return entity_tag(self.version, self.shown_status, self.attempt_number)


OWN = TaskRow._fields.index("content_id")
TASK_COLUMNS = TaskRow._fields[:OWN]
CONTENT_COLUMNS = ("task_id", *TaskRow._fields[OWN + 1 :])


def read_row(task_id: UUID, owner_id: int | None = None, *, known: int | None = None) -> TaskRow:
    """Return a task and its content as they are stored; the content is left out when the task has the version `known`.

    Raises:
        NotFound: there is no such task, or it is not this owner's.
    """
    row = sql.run_one("lifecycle/read_task", {"task": task_id, "owner": owner_id, "known": known}, row=TaskRow)
    if row is None:
        raise errors.NotFound(f"There is no task {task_id}.")
    return row


def read_task(task_id: UUID, owner_id: int | None = None) -> tuple[Task, TaskContent | None]:
    """Return a task and its content, which is None when it was purged.

    Raises:
        NotFound: as `read_row`.
    """
    row = read_row(task_id, owner_id)
    task = Task.from_db("default", TASK_COLUMNS, row[:OWN])
    if row.content_id is None:
        return task, None
    texts = row.input, row.result, row.engine, row.usage, row.metadata
    values = [None if text is None else json.loads(text) for text in texts]
    return task, TaskContent.from_db(
        "default", CONTENT_COLUMNS, (row.content_id, *values, row.tags, row.needs, row.name)
    )


def get_task(task_id: UUID) -> Task:
    """Return a task that is known to be there; `task.content` is read with it."""
    task, content = read_task(task_id)
    Task._meta.get_field("content").set_cached_value(task, content)
    return task
