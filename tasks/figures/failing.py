"""What fails, by cause: how often, whom it concerns, whether it is new; at one price however much has failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from accounts.models import User
from tasks import sql
from tasks.models import Cause

MOST_CAUSES = 100
# Of each cause, so many failures are looked at for whom it concerns.
MOST_FAILURES = 1_000
MOST_MESSAGE = 500
# The width of the sums that are kept (`note_failures.sql`).
QUARTER = timedelta(minutes=15)
BARS = 28
NEW = timedelta(days=1)
# Behind by more than this, what is shown is not what is.
BEHIND = timedelta(minutes=3)

PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


class CauseRow(NamedTuple):
    """A cause, and what is known of its failures."""

    id: int
    type: str
    code: str
    fingerprint: str
    first_at: datetime
    last_at: datetime
    reopened_at: datetime | None
    acknowledged_at: datetime | None
    muted_until: datetime | None
    muted_above: int | None
    assignee: str | None
    users: int
    is_cut: bool
    message: str


class Span(NamedTuple):
    cause: int
    place: int
    tasks: int


@dataclass(frozen=True)
class Failing:
    """A cause, with how many tasks failed of it in each span of the period."""

    cause: CauseRow
    spans: list[int]

    @property
    def tasks(self) -> int:
        return sum(self.spans)

    @property
    def users_text(self) -> str:
        return f"{self.cause.users:,}{'+' if self.cause.is_cut else ''}"

    @property
    def example(self) -> str:
        """The newest message; where that was purged with its task, the words that all of them have."""
        return self.cause.message or self.cause.fingerprint

    @property
    def standing(self) -> str:
        """Return what it is called on every page: a word of `tasks.ui.words`."""
        return standing_of(self.cause)


def standing_of(cause: CauseRow | Cause) -> str:
    """Say how a cause stands; what operators said of it comes before how old it is."""
    now = timezone.now()
    if cause.muted_above is not None or (cause.muted_until is not None and cause.muted_until > now):
        return "muted"
    if cause.acknowledged_at is not None:
        return "acknowledged"
    return "new_cause" if max(cause.first_at, cause.reopened_at or cause.first_at) > now - NEW else "open_cause"


def failing_causes(
    period: str, *, of: User | None = None, muted: bool | None = None, only_new: bool = False
) -> list[Failing]:
    """Return the causes that tasks failed of within a period, the most frequent first; of many, those seen last.

    Args:
        of: only those that this operator sees to.
        muted: only those that are, or are not.
        only_new: only those first seen, or seen again, within a day.
    """
    since = _start(period)
    asked = {
        "since": since, "assignee": of.pk if of else None, "muted": muted, "new": only_new, "most": MOST_CAUSES,
        "most_failures": MOST_FAILURES, "read": MOST_MESSAGE,
    }  # fmt: skip
    rows = sql.run("figures/failing_causes", asked, row=CauseRow)
    spans = spans_of([row.id for row in rows], period)
    return sorted((Failing(row, spans[row.id]) for row in rows), key=lambda one: -one.tasks)


def spans_of(causes: Sequence[int], period: str) -> dict[int, list[int]]:
    """Return how many tasks failed of each cause in each span of a period; the last is the one that is going on."""
    since = _start(period)
    span = max(QUARTER, PERIODS[period] / BARS)
    count = -(-(timezone.now() - since) // span)
    found: dict[int, list[int]] = defaultdict(lambda: [0] * count)
    asked = {"causes": list(causes), "since": since, "span": span.total_seconds()}
    for row in sql.run("figures/cause_sums", asked, row=Span):
        found[row.cause][min(row.place, count - 1)] += row.tasks
    return found


def _start(period: str) -> datetime:
    """Return the beginning of a period, and of a quarter of an hour."""
    start = timezone.now().astimezone(UTC) - PERIODS[period]
    return start - (start - datetime(2000, 1, 1, tzinfo=UTC)) % QUARTER
