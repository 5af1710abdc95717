"""What would become of a submission, as the API shows it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tasks.api.objects.shape import Shape
from tasks.api.objects.task import Estimate, Priority, QueuePlace, Shown, content_of, task_object
from tasks.lifecycle.preview import Preview as Found
from tasks.ui.sentences import in_language


class Cost(Shape):
    """What it would take from the limits, in tasks; the names are those of the RateLimit headers."""

    burst: int
    day: int
    high_day: int = Field(alias="high-day")
    urgent_day: int = Field(alias="urgent-day")
    waiting: int


class Work(Shape):
    """How much is to be done, for types that tell it from their files: pages of PDFs, minutes of recordings."""

    amount: str = Field(description="in words, like “A PDF of 500 pages (by OCR: 100)”")
    expected_seconds: float = Field(
        description="how long an attempt takes: as others of its size here, else by a guess; what needs longer than "
        "its timeout may take several attempts, each from where the last one was"
    )


class Preview(Shape):
    """What would happen; nothing was submitted."""

    type: str
    status: Shown
    priority: Priority
    queue: QueuePlace
    ends_in: Estimate | None = Field(description="seconds until it would end; null where it would be a guess")
    timeout: int = Field(description="seconds one attempt may take")
    max_attempts: int
    cost: Cost
    work: Work | None = Field(description="null where the type or the files do not tell")


def preview_object(found: Found) -> dict[str, Any]:
    """Return a preview as JSON: a task's own words, without what only a task has."""
    task = task_object(found.task, content_of(found.task), found.wait)
    kept = {name: task[name] for name in ("type", "status", "priority", "queue", "ends_in", "timeout")}
    work = None
    if found.work is not None and found.expected_seconds is not None:
        amount = in_language(found.work.amount)
        work = {"amount": amount, "expected_seconds": round(found.expected_seconds, 1)}
    return kept | {"max_attempts": found.task.max_attempts, "cost": found.cost, "work": work}
