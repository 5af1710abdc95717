"""The limits that hold for a user now: the plan's, with overrides that have not ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from django.db import connection

from accounts.models import User

CURRENT_OVERRIDES = """
    SELECT "limit", value FROM plan_override WHERE user_id = %s AND (ends_at IS NULL OR ends_at > now())
"""


@dataclass(frozen=True)
class Limits:
    """None means unlimited; sizes are bytes, durations seconds, `keep_days` days."""

    slots: int
    weight: float
    max_waiting: int
    per_minute: int | None
    per_day: int | None
    max_priority: int
    high_per_day: int | None
    urgent_per_day: int | None
    longest_timeout: int
    file_bytes: int
    keep_days: int


_NAMES = tuple(field.name for field in fields(Limits))


def limits_of(user: User) -> Limits:
    """Return the limits of a user. A disabled user has no slots, so their tasks are held."""
    # Asked at every submission: building the query would cost more than the query.
    with connection.cursor() as cursor:
        cursor.execute(CURRENT_OVERRIDES, [user.pk])
        return limits_with(user, cursor.fetchall())


def limits_with(user: User, overrides: Iterable[tuple[str, float]]) -> Limits:
    """Return the limits of a user whose current overrides were read already."""
    values = {name: getattr(user.plan, name) for name in _NAMES}
    for limit, value in overrides:
        values[limit] = value if limit == "weight" else int(value)
    if not user.is_active:
        values["slots"] = 0
    return Limits(**values)
