"""The attempts of a task as its page shows them, the running one among them, and what they said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from tasks.models import Attempt, Event, Node, Task
from tasks.models.attempt import Outcome
from tasks.models.event import EventKind
from tasks.statuses import Status

MOST_ATTEMPTS = 50
MOST_EVENTS = 200


class ShownAttempt(NamedTuple):
    """`status` is how it ended, or that it runs; `seconds` counts on while it does."""

    number: int
    status: str
    started_at: datetime | None
    seconds: float
    charged: bool
    node: Node | None
    worker_pid: int | None
    error: dict[str, Any] | None = None
    traceback: str = ""


class Said(NamedTuple):
    """What a task said. Progress in a row is one line: the last of it, and how many steps it took."""

    at: datetime
    attempt: int
    kind: str
    data: dict[str, Any]
    steps: int = 1


def attempts_of(task: Task) -> list[ShownAttempt]:
    """Return the newest attempts, newest first. `task` is annotated with `now`, the database's."""
    rows = Attempt.objects.filter(task=task).select_related("node").order_by("-number")[:MOST_ATTEMPTS]
    ended = [_ended(task, row) for row in rows]
    if task.status != Status.RUNNING:
        return ended
    now: datetime = task.now  # type: ignore[attr-defined]
    seconds = (now - task.started_at).total_seconds() if task.started_at else 0.0
    running = ShownAttempt(
        task.attempt_number, task.shown_status, task.started_at, seconds, True, task.node, task.worker_pid
    )
    return [running, *ended]


def events_of(task: Task, *, reveal: bool) -> list[Said]:
    """Return the newest of what it said, oldest first. What a task puts out is content."""
    rows = Event.objects.filter(task=task).order_by("-id")
    if not reveal:
        rows = rows.exclude(kind=EventKind.OUTPUT)
    return list(_gathered(list(rows[:MOST_EVENTS])[::-1]))


def _ended(task: Task, row: Attempt) -> ShownAttempt:
    # Whatever the worker did last, a person had asked for the end.
    is_last = row.number == task.attempt_number and task.status == Status.CANCELLED
    status = "cancelled" if is_last and row.outcome == Outcome.RETURNED else row.outcome
    return ShownAttempt(
        row.number, status, row.started_at, row.seconds, row.charged, row.node, row.worker_pid, row.error, row.traceback
    )


def _gathered(events: Iterable[Event]) -> list[Said]:
    said: list[Said] = []
    for event in events:
        line = Said(event.created_at, event.attempt, event.kind, event.data)
        before = said[-1] if said else None
        if before and before.kind == event.kind == EventKind.PROGRESS and _stage(before) == _stage(line):
            said[-1] = line._replace(steps=before.steps + 1)
        else:
            said.append(line)
    return said


def _stage(said: Said) -> tuple[int, str]:
    return said.attempt, said.data.get("stage") or ""
