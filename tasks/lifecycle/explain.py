"""Says why a task waits, and what would start before it: from the same rules that the scheduler uses."""

from __future__ import annotations

from dataclasses import dataclass

from tasks import sql
from tasks.models import Task
from tasks.statuses import QUEUED, Status

POSITION_LIMIT = 1000


@dataclass(frozen=True)
class Wait:
    """`position` counts from 1 what starts before it in the lane and the shared line, up to POSITION_LIMIT."""

    position: int | None
    why: str | None


NOTHING = Wait(None, None)


def explain_wait(task: Task) -> Wait:
    """Return why a task has not started; both None when it has."""
    if task.status == Status.WAITING:
        return Wait(None, "waiting_for_tasks")
    if task.status == Status.SCHEDULED:
        return Wait(None, "retry_backoff" if task.attempt_number else "scheduled")
    if task.status not in QUEUED:
        return NOTHING
    row = sql.run_one("explain_wait", {"task": task.pk, "limit": POSITION_LIMIT - 1})
    if row is None:
        return NOTHING
    if row.queue_paused:
        return Wait(None, "queue_paused")
    if not row.has_workers:
        return Wait(None, "no_workers")
    why = "waiting_for_a_worker" if row.is_ready else "waiting_for_a_slot"
    return Wait(min(POSITION_LIMIT, row.ahead + 1), why)
