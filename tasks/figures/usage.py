"""What a user's tasks used, by day and type; and the duty that rolls attempts up into days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from accounts.models import User
from tasks import sql
from tasks.models import UsageMark
from tasks.models.attempt import FAILING
from tasks.periodic import duty

MOST_DAYS = 90
MOST_ROUNDS = 100


class DayOfType(NamedTuple):
    """Attempts of one type that ended on one UTC day."""

    day: date
    type: str
    attempts: int
    succeeded: int
    failed: int
    cancelled: int
    worker_seconds: float
    prompt_tokens: int
    completion_tokens: int


class RolledUp(NamedTuple):
    """How many days of users a round has changed, and whether there is more."""

    days: int
    is_behind: bool


def first_day(days: int) -> date:
    """Return the first of the last `days` UTC days, today included."""
    return datetime.now(UTC).date() - timedelta(days=days - 1)


def read_usage(user: User, *, since: date) -> list[DayOfType]:
    """Return what was used from a UTC day on, newest first, up to this moment."""
    mark = UsageMark.objects.values_list("counted_until", flat=True).get()
    asked = {"owner": user.pk, "first_day": since, "failing": list(FAILING), "counted_until": mark}
    return sql.run("figures/read_usage_days", asked, row=DayOfType)


@duty(every=60)
def roll_up_usage() -> int:
    """Add ended attempts to the days of their owners: a duty. Returns how many days of users changed."""
    changed = 0
    for _ in range(MOST_ROUNDS):
        row = _roll_up_some()
        changed += row.days if row else 0
        if row is None or not row.is_behind:
            break
    return changed


def _roll_up_some() -> RolledUp | None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Nodes do without bitmaps, for their hot statements; but the index of `finished_at` (BRIN) gives nothing
            # else, and without it all attempts that there ever were would be read each minute.
            cursor.execute("SET LOCAL enable_bitmapscan = on")
        return sql.run_one("figures/roll_up_usage", {"failing": list(FAILING)}, row=RolledUp)
