"""A schedule as people give it, and the columns it is stored in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.lifecycle.submission import Submission
from tasks.models import Schedule
from tasks.models.schedule import CatchUp, Overlap


@dataclass(frozen=True)
class Draft:
    """What a schedule is to be: what is submitted, and either `cron` in a `time_zone` or `interval_seconds`.

    Of the submission, the type, the input and the options that make sense for each of many tasks are kept.
    """

    task: Submission
    name: str = ""
    cron: str | None = None
    time_zone: str = "UTC"
    interval_seconds: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    most_runs: int | None = None
    catch_up: str = CatchUp.ONE
    overlap: str = Overlap.SKIP


def submission_of(schedule: Schedule) -> Submission:
    """Return what a schedule submits."""
    return Submission(
        type=schedule.type,
        input=schedule.input,
        priority=schedule.priority,
        timeout=schedule.timeout_seconds,
        max_attempts=schedule.max_attempts,
        metadata=schedule.metadata,
        tags=schedule.tags,
        on_quota="downgrade" if schedule.on_quota == "downgrade" else "reject",
    )


def draft_of(schedule: Schedule) -> Draft:
    """Return what a schedule is."""
    return Draft(
        task=submission_of(schedule),
        **{
            name: getattr(schedule, name)
            for name in ("name", "cron", "time_zone", "interval_seconds", "start_at", "end_at", "most_runs",
                         "catch_up", "overlap")
        },
    )  # fmt: skip


def columns_of(draft: Draft) -> dict[str, Any]:
    """Return a draft as columns of the table."""
    task = draft.task
    return {
        "name": draft.name,
        "type": task.type,
        "input": task.input,
        "priority": task.priority,
        "timeout_seconds": task.timeout,
        "max_attempts": task.max_attempts,
        "metadata": dict(task.metadata),
        "tags": list(task.tags),
        "on_quota": task.on_quota,
        "cron": draft.cron,
        "time_zone": draft.time_zone,
        "interval_seconds": draft.interval_seconds,
        "start_at": draft.start_at,
        "end_at": draft.end_at,
        "most_runs": draft.most_runs,
        "catch_up": draft.catch_up,
        "overlap": draft.overlap,
    }
