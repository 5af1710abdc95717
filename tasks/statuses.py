"""The statuses of a task, the legal moves between them, and the words shown outside."""

from __future__ import annotations

from datetime import datetime

from django.db.models import TextChoices


class Status(TextChoices):
    """What the database stores. `shown_status` says what everything outside shows."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    HELD = "held"
    READY = "ready"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


TERMINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})
QUEUED = frozenset({Status.HELD, Status.READY})
NOT_STARTED = frozenset({Status.WAITING, Status.SCHEDULED, Status.HELD, Status.READY})
REVIVABLE = TERMINAL - {Status.SUCCEEDED}

# Every arrow of docs/architecture.md; a new one needs a decision record.
MOVES: dict[Status, frozenset[Status]] = {
    Status.WAITING: frozenset({Status.HELD, Status.SCHEDULED, Status.CANCELLED, Status.FAILED, Status.EXPIRED}),
    Status.SCHEDULED: frozenset({Status.HELD, Status.CANCELLED, Status.EXPIRED}),
    Status.HELD: frozenset({Status.READY, Status.CANCELLED, Status.EXPIRED}),
    Status.READY: frozenset({Status.RUNNING, Status.HELD, Status.CANCELLED, Status.EXPIRED}),
    Status.RUNNING: frozenset(
        {Status.SUCCEEDED, Status.FAILED, Status.SCHEDULED, Status.CANCELLED, Status.WAITING},
    ),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset({Status.HELD, Status.WAITING}),
    Status.CANCELLED: frozenset({Status.HELD, Status.WAITING}),
    Status.EXPIRED: frozenset({Status.HELD, Status.WAITING}),
}

SHOWN = ("waiting", "scheduled", "queued", "running", "cancelling", "succeeded", "failed", "cancelled", "expired")


def shown_status(status: str, cancel_requested_at: datetime | None) -> str:
    """Return the word that people and programs see for a stored status.

    >>> shown_status("held", None)
    'queued'
    """
    if status in QUEUED:
        return "queued"
    if status == Status.RUNNING and cancel_requested_at is not None:
        return "cancelling"
    return str(status)


def entity_tag(version: int, shown: str, attempt: int) -> str:
    """Return a task's ETag: after a crash a version can come again with another status.

    >>> entity_tag(2, "queued", 0)
    '"v2-queued-0"'
    """
    return f'"v{version}-{shown}-{attempt}"'
