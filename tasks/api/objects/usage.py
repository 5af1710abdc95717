"""What was used, as the API shows it."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from tasks.api.objects.shape import Shape
from tasks.figures.usage import DayOfType


class Tokens(Shape):
    """Tokens that language models read and wrote, where they count them."""

    prompt: int
    completion: int


class UsageItem(Shape):
    """What attempts of one type used that ended on one UTC day."""

    day: date
    type: str
    attempts: int = Field(description="executions, whatever their end")
    succeeded: int
    failed: int = Field(description="failed, timed out, or lost with their worker; a task may have several")
    cancelled: int = Field(description="interrupted by a cancellation")
    worker_seconds: float
    tokens: Tokens


class Usage(Shape):
    """What was used, newest day first. Days and types without attempts are left out."""

    since: date = Field(description="first day looked at")
    data: list[UsageItem]


def usage_object(since: date, days: list[DayOfType]) -> dict[str, Any]:
    """Return what was used as JSON."""
    return {
        "since": since.isoformat(),
        "data": [
            {
                "day": used.day.isoformat(),
                "type": used.type,
                "attempts": used.attempts,
                "succeeded": used.succeeded,
                "failed": used.failed,
                "cancelled": used.cancelled,
                # As exact as an attempt is kept: many take less than a millisecond.
                "worker_seconds": round(used.worker_seconds, 6),
                "tokens": {"prompt": used.prompt_tokens, "completion": used.completion_tokens},
            }
            for used in days
        ],
    }
