"""What was stored just now as the task that it is: what the database would tell is known already."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from accounts.models import User
from tasks.lifecycle.fill import Arrived
from tasks.lifecycle.read import CONTENT_COLUMNS, TASK_COLUMNS
from tasks.lifecycle.submission import Accepted
from tasks.models import Task, TaskContent
from tasks.statuses import NOT_STARTED, Status


def as_stored(user: User, accepted: Accepted, created_at: datetime, arrived: Iterable[Arrived]) -> Task:
    """Return a task that was stored just now, with its content, without asking for it.

    Args:
        created_at: as the database has it.
        arrived: how it, and perhaps others, stood when its lane was filled; without that, it is as it was stored.
    """
    # Once an attempt has begun there is more to it than its place: then it is told as it was stored, which is no lie.
    now = next((row for row in arrived if row.id == accepted.id and row.status in NOT_STARTED), None)
    known: dict[str, Any] = accepted._asdict() | {
        "owner_id": user.pk,
        "queue_id": accepted.queue,
        "lane_id": accepted.lane,
        "status": now.status if now else first_status(accepted, created_at),
        "version": now.version if now else 1,
        "line_key": now.line_key if now else _line_key(accepted, created_at),
        "rank": now.rank if now else None,
        "attempt_number": 0,
        "attempts_charged": 0,
        "progress_stage": "",
        "created_at": created_at,
    }
    task = Task.from_db("default", TASK_COLUMNS, [known.get(name) for name in TASK_COLUMNS])
    needs = [*accepted.needs, *accepted.after]
    usage: dict[str, Any] = {}
    values = (
        accepted.id,
        accepted.input,
        None,
        None,
        usage,
        dict(accepted.metadata),
        list(accepted.tags),
        needs,
        accepted.name,
    )
    Task._meta.get_field("content").set_cached_value(task, TaskContent.from_db("default", CONTENT_COLUMNS, values))
    return task


def first_status(accepted: Accepted, created_at: datetime) -> Status:
    """Return the status that a task is stored with at this time, by the database's clock."""
    if accepted.waiting:
        return Status.WAITING
    if accepted.run_after is not None and accepted.run_after > created_at:
        return Status.SCHEDULED
    return Status.HELD


def _line_key(accepted: Accepted, created_at: datetime) -> float:
    # As insert_task.sql.
    return max(created_at, accepted.run_after or created_at).timestamp() - (accepted.priority - 5) * 60.0
