"""An event of a task as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from tasks import models
from tasks.api.objects.shape import Shape, write_time


class Event(Shape):
    """What a running task said."""

    id: str = Field(description="rises; the place from which a stream resumes")
    event: Literal["progress", "log", "output"]
    attempt: int
    data: dict[str, Any] = Field(description="{fraction, stage} of progress, {text} of log and output")
    created_at: datetime


def event_object(event: models.Event) -> dict[str, Any]:
    """Return an event as JSON."""
    return {
        "id": str(event.pk),
        "event": event.kind,
        "attempt": event.attempt,
        "data": event.data,
        "created_at": write_time(event.created_at),
    }
