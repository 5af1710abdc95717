"""Says why a task waits, what would start before it, and when it may start: from the rules that the scheduler uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from tasks import sql
from tasks.kept import kept
from tasks.lifecycle.expected import Range, ends_in
from tasks.lifecycle.forecast import Standing, foresee
from tasks.lifecycle.read import TaskRow
from tasks.models import Task
from tasks.statuses import QUEUED, Status

POSITION_LIMIT = 1000
CACHE_SECONDS = 3.0


@dataclass(frozen=True)
class Wait:
    """Why a task has not started, and when it may start and end.

    `position` counts from 1 what starts before it in the lane and the shared line, up to POSITION_LIMIT. The times are
    None where they would be a guess; `ends_in` is for an attempt that succeeds.
    """

    position: int | None
    why: str | None
    starts_in: Range | None = None
    ends_in: Range | None = None


NOTHING = Wait(None, None)


def explain_wait(task: Task | TaskRow) -> Wait:
    """Return why a task has not started; of one that runs, only when it may end; of one that has ended, nothing."""
    if task.status == Status.WAITING:
        return Wait(None, "waiting_for_tasks")
    if task.status == Status.SCHEDULED:
        return Wait(None, _why_scheduled(task))
    if task.status == Status.RUNNING:
        return Wait(None, None, None, _end_of(task))
    if task.status not in QUEUED:
        return NOTHING
    row = sql.run_one("lifecycle/explain_wait", {"task": task.id, "limit": POSITION_LIMIT - 1}, row=Standing)
    if row is None:
        return NOTHING
    if row.queue_paused:
        return Wait(None, "queue_paused")
    if row.type_paused:
        return Wait(None, "type_paused")
    if not row.workers:
        return Wait(None, "no_workers")
    why = "waiting_for_a_worker" if row.is_ready else "waiting_for_a_slot"
    # Beyond the limit nobody has counted.
    expected = foresee(task, row) if row.ahead < POSITION_LIMIT - 1 else None
    place = min(POSITION_LIMIT, row.ahead + 1)
    return Wait(place, why, expected.starts_in, expected.ends_in) if expected else Wait(place, why)


def explain_briefly(task: Task) -> Wait:
    """Return why a task has not started, without its place in the line: that is counted when somebody asks for it."""
    if task.status not in QUEUED:
        return explain_wait(task)
    line = "waiting_for_a_worker" if task.status == Status.READY else "waiting_for_a_slot"
    stands = _standstills()
    of_queue, of_type = stands.get(("queue", task.queue_id)), stands.get(("type", task.type))
    return Wait(None, of_type if of_type and of_queue != "queue_paused" else of_queue or line)


class Standstill(NamedTuple):
    """A queue from which nothing starts, or a type of which nothing does, and why."""

    kind: str
    name: str
    why: str


@kept(seconds=CACHE_SECONDS)
def _standstills() -> dict[tuple[str, str], str]:
    return {(row.kind, row.name): row.why for row in sql.run("lifecycle/find_standstills", {}, row=Standstill)}


def _end_of(task: Task | TaskRow) -> Range | None:
    # By this process's clock: a difference of some seconds to the database's does no harm here.
    elapsed = (datetime.now(UTC) - task.started_at).total_seconds() if task.started_at else 0.0
    return ends_in(task.type, task.size_bucket, max(0.0, elapsed))


def _why_scheduled(task: Task | TaskRow) -> str:
    if not task.attempt_number:
        return "scheduled"
    code = task.error.get("code") if task.error else None
    return code if code in {"backend_busy", "backend_unreachable"} else "retry_backoff"
