"""Counts a user's tasks of the last days, by day and type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import User
from tasks.models import Task


@dataclass(frozen=True)
class DayOfType:
    day: date
    type: str
    count: int
    succeeded: int
    failed: int


def tasks_by_day_and_type(user: User, *, days: int) -> list[DayOfType]:
    """Return the counts by UTC day of submission, newest first."""
    start = (timezone.now() - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = (
        Task.objects.of(user)
        # Ids rise with time: so the index of (owner, id) serves, and old tasks are never read.
        .filter(pk__gte=first_id_at(start))
        .annotate(day=TruncDate("created_at", tzinfo=timezone.get_fixed_timezone(0)))
        .values("day", "type")
        .annotate(
            count=Count("pk"),
            succeeded=Count("pk", filter=Q(status="succeeded")),
            failed=Count("pk", filter=Q(status__in=["failed", "expired"])),
        )
        .order_by("-day", "type")
    )
    return [DayOfType(**row) for row in rows]


def first_id_at(moment: datetime) -> UUID:
    """Return the lowest UUIDv7 of a moment (RFC 9562: 48 bits of milliseconds lead)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
