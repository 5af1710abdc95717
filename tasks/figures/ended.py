"""What ended lately: attempts that succeeded or failed, and how long those that succeeded ran.

Attempts that were cancelled, went back or wait for others do not count: they say nothing of how the system is doing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from tasks import sql
from tasks.figures.bounded import bounded_queries
from tasks.figures.depths import CAP, at_least
from tasks.kept import kept
from tasks.models.attempt import FAILING

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# A day's attempts may be a million rows; operators reload, and half a minute changes nothing in a day's sum.
PERIODS_SECONDS = 30.0
# As many as the statement goes back by.
STEPS = 100


class EndedRow(NamedTuple):
    """What ended in a span; without a start in all of them together."""

    starts_at: datetime | None
    succeeded: int
    failed: int
    median_seconds: float | None
    slow_seconds: float | None
    is_cut: bool


@dataclass(frozen=True)
class Ended:
    """Counts of attempts, median and 95th percentile of the time of those that succeeded.

    `spans` has what ended and what failed by the start of a span; `is_cut` says that there were more than were read,
    and then all of this is of the newest.
    """

    succeeded: int = 0
    failed: int = 0
    median_seconds: float | None = None
    slow_seconds: float | None = None
    is_cut: bool = False
    spans: dict[datetime, tuple[int, int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.succeeded + self.failed

    @property
    def failed_percent(self) -> float | None:
        return 100 * self.failed / self.total if self.total else None

    @property
    def total_text(self) -> str:
        return at_least(self.total, self.is_cut)

    @property
    def succeeded_text(self) -> str:
        return at_least(self.succeeded, self.is_cut)

    @property
    def failed_text(self) -> str:
        return at_least(self.failed, self.is_cut)


def ended_since(since: datetime, *, within: timedelta, span: timedelta | None = None) -> Ended:
    """Return what ended since a moment that lies `within` such a time: no more than CAP attempts of an hour of it.

    Args:
        span: how long the spans are, counted from that moment; one for all if left out.
    """
    most = int(CAP * (within / HOUR))
    asked = {"since": since, "span": span or within, "failing": list(FAILING), "stride": max(1, most // STEPS)}
    rows = sql.run("figures/ended_lately", asked, row=EndedRow)
    spans = {row.starts_at: (row.succeeded + row.failed, row.failed) for row in rows if row.starts_at is not None}
    whole = next(row for row in rows if row.starts_at is None)
    return Ended(whole.succeeded, whole.failed, whole.median_seconds, whole.slow_seconds, whole.is_cut, spans)


@kept(seconds=PERIODS_SECONDS)
def last_hour_and_day() -> tuple[Ended, Ended]:
    """Return what ended in the last hour and in the last day, at most half a minute ago.

    Raises:
        django.db.OperationalError: it took longer than five seconds.
    """
    now = timezone.now()
    with bounded_queries(by_index=True):
        return ended_since(now - HOUR, within=HOUR), ended_since(now - DAY, within=DAY)
