"""A schedule and its runs as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from tasks import models
from tasks.api.objects.shape import Shape, write_time
from tasks.api.objects.task import UNTOLD, error_without_content
from tasks.schedules.manage import upcoming

BASE = "/api/v1/schedules"


class ScheduledTask(Shape):
    """What is submitted; null leaves it to the task type."""

    type: str
    input: dict[str, Any] | None = Field(description="null without `tasks:read`, and in lists where it is large")
    priority: int | None
    timeout: int | None
    max_attempts: int | None
    metadata: dict[str, Any]
    tags: list[str]
    on_quota: Literal["reject", "downgrade"]


class ScheduleError(Shape):
    """Why a run was refused or skipped."""

    code: str
    message: str


class ScheduleUrls(Shape):
    """Addresses, as absolute paths."""

    self: str
    runs: str
    run: str
    pause: str
    resume: str


class Schedule(Shape):
    """A submission that is made again and again. Times are RFC 3339 in UTC.

    A token without the scope `tasks:read` is not shown content: the task's `input` is null, its `metadata` and `tags`
    are empty, and so is the name.
    """

    id: UUID
    name: str
    status: Literal["active", "paused", "ended"]
    task: ScheduledTask
    cron: str | None
    time_zone: str = Field(description="of the cron expression, as in the tz database")
    interval_seconds: int | None
    start_at: datetime | None
    end_at: datetime | None
    most_runs: int | None
    catch_up: Literal["one", "all", "none"]
    overlap: Literal["skip", "allow"]
    next_run_at: datetime | None = Field(description="null when it is paused or has ended")
    upcoming: list[datetime] = Field(description="the next five times, or fewer")
    last_run_at: datetime | None
    last_task: UUID | None
    last_error: ScheduleError | None = Field(description="why the last run was refused; null when it was accepted")
    run_count: int = Field(description="runs at its times, the refused ones included; not those by hand or skipped")
    paused_at: datetime | None
    paused_reason: str | None
    created_at: datetime
    urls: ScheduleUrls


class ScheduleRun(Shape):
    """One time at which a schedule was due."""

    id: UUID
    due_at: datetime = Field(description="when it was to run; of a run by hand, when it was asked for")
    by_hand: bool
    outcome: Literal["submitted", "refused", "skipped"]
    task: UUID | None
    error: ScheduleError | None
    created_at: datetime


def schedule_object(schedule: models.Schedule) -> dict[str, Any]:
    """Return a schedule as JSON."""
    own = f"{BASE}/{schedule.id}"
    return {
        "id": str(schedule.id),
        "name": schedule.name,
        "status": schedule.status,
        "task": {
            "type": schedule.type,
            "input": schedule.input,
            "priority": schedule.priority,
            "timeout": schedule.timeout_seconds,
            "max_attempts": schedule.max_attempts,
            "metadata": schedule.metadata,
            "tags": schedule.tags,
            "on_quota": schedule.on_quota,
        },
        "cron": schedule.cron,
        "time_zone": schedule.time_zone,
        "interval_seconds": schedule.interval_seconds,
        "start_at": write_time(schedule.start_at),
        "end_at": write_time(schedule.end_at),
        "most_runs": schedule.most_runs,
        "catch_up": schedule.catch_up,
        "overlap": schedule.overlap,
        "next_run_at": write_time(schedule.next_run_at),
        "upcoming": [write_time(moment) for moment in upcoming(schedule)],
        "last_run_at": write_time(schedule.last_run_at),
        "last_task": str(schedule.last_task_id) if schedule.last_task_id else None,
        "last_error": schedule.last_error,
        "run_count": schedule.run_count,
        "paused_at": write_time(schedule.paused_at),
        "paused_reason": schedule.paused_reason or None,
        "created_at": write_time(schedule.created_at),
        "urls": {"self": own, **{part: f"{own}/{part}" for part in ("runs", "run", "pause", "resume")}},
    }


def without_content(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a schedule as JSON for a token that may act on tasks and not read them."""
    return shown | {
        "name": "",
        "task": shown["task"] | {"input": None, "metadata": {}, "tags": []},
        "last_error": error_without_content(shown["last_error"]),
        "paused_reason": shown["paused_reason"] and UNTOLD,
    }


def schedule_run_object(run: models.ScheduleRun) -> dict[str, Any]:
    """Return a run as JSON."""
    return {
        "id": str(run.id),
        "due_at": write_time(run.due_at),
        "by_hand": run.by_hand,
        "outcome": run.outcome,
        "task": str(run.task_id) if run.task_id else None,
        "error": run.error,
        "created_at": write_time(run.created_at),
    }
