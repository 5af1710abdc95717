"""The shape of `/quota`; `tasks.figures.quota` builds it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from tasks.api.objects.shape import Shape


class Allowance(Shape):
    limit: int | None = Field(description="null: unlimited")
    used: int
    resets_at: datetime


class Allowances(Shape):
    """high and urgent: tasks of priority 7–8 and 9–10 a day; day: tasks a day; burst: submissions a minute."""

    high: Allowance
    urgent: Allowance
    day: Allowance
    burst: Allowance


class FileStorage(Shape):
    bytes: int
    limit: int


class Quota(Shape):
    """What the plan allows and what is used of it."""

    plan: str
    slots: int = Field(description="tasks that may be ready or running at once, per cluster")
    running: int
    held: int = Field(description="tasks that have not started")
    weight: float
    max_priority: int
    max_waiting: int
    allowances: Allowances
    files: FileStorage
