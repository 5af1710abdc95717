"""An attempt as the API shows it; the running one has no row yet and is read from its task."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from tasks import models
from tasks.api.objects.shape import Shape, write_time
from tasks.api.objects.task import TaskError, error_object


class Worker(Shape):
    """The process that did the work."""

    node: UUID | None
    host: str | None
    pid: int | None


class Attempt(Shape):
    """One execution of a task by one worker."""

    number: int
    outcome: str | None = Field(description="null while it runs")
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None
    worker: Worker
    error: TaskError | None
    charged: bool | None = Field(description="whether it counts against the task's attempts; null while it runs")


def attempt_object(attempt: models.Attempt) -> dict[str, Any]:
    """Return an ended attempt as JSON; its node was read with it."""
    return {
        "number": attempt.number,
        "outcome": attempt.outcome,
        "started_at": write_time(attempt.started_at),
        "finished_at": write_time(attempt.finished_at),
        "seconds": round(attempt.seconds, 3),
        "worker": _worker(attempt.node, attempt.worker_pid),
        "error": error_object(attempt.error),
        "charged": attempt.charged,
    }


def running_attempt_object(task: models.Task) -> dict[str, Any]:
    """Return the attempt that runs now as JSON."""
    return {
        "number": task.attempt_number,
        "outcome": None,
        "started_at": write_time(task.started_at),
        "finished_at": None,
        "seconds": None,
        "worker": _worker(task.node, task.worker_pid),
        "error": None,
        "charged": None,
    }


def _worker(node: models.Node | None, pid: int | None) -> dict[str, Any]:
    return {"node": str(node.id) if node else None, "host": node.host if node else None, "pid": pid}
