"""What ended lately: attempts that succeeded or failed, and how long those that succeeded ran.

Attempts that were cancelled, went back or wait for others do not count: they say nothing of how the system is doing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from tasks.figures.bounded import bounded_queries
from tasks.figures.depths import at_least
from tasks.figures.series import Series, Sums, read_series
from tasks.kept import kept

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Operators reload, and half a minute changes nothing in a day's sum.
PERIODS_SECONDS = 30.0


@dataclass(frozen=True)
class Ended:
    """Counts of attempts, median and 95th percentile of the time of those that succeeded (see `series.Sums`).

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
    """Return what ended since a moment that lies `within` such a time.

    Args:
        span: how long the spans are, counted from that moment; one for all if left out.
    """
    series = read_series(since, since + within + (span or within), span=span or within)
    return _ended(series, since)


def _ended(series: Series, since: datetime) -> Ended:
    whole = sum((series.total(label) for label in series.by_label), Sums())
    # Until everything is counted, what there was before is missing.
    is_cut = series.is_cut or (series.whole_since is not None and series.whole_since > since)
    return Ended(
        succeeded=whole.succeeded,
        failed=whole.failed,
        median_seconds=whole.run_percentile(0.5),
        slow_seconds=whole.run_percentile(0.95),
        is_cut=is_cut,
        spans={start: (sums.total, sums.failed) for start, sums in series.by_label.get("", {}).items() if sums.total},
    )


class Lately(NamedTuple):
    """What ended in the last hour and day, and of each type in the last quarter of an hour."""

    hour: Ended
    day: Ended
    by_type: dict[str, Sums]


@kept(seconds=PERIODS_SECONDS)
def ended_lately() -> Lately:
    """Return what ended lately, as it was at most half a minute ago.

    All begin where a sum does: they have up to a minute more, the day up to ten.

    Raises:
        django.db.OperationalError: it took longer than five seconds.
    """
    now = timezone.now()
    with bounded_queries(by_index=True):
        quarters = read_series(now - HOUR, now + QUARTER, span=QUARTER, by="type")
        newest = quarters.starts[-2:]
        return Lately(
            hour=_ended(quarters, now - HOUR),
            day=ended_since(now - DAY, within=DAY, span=timedelta(minutes=10)),
            by_type={
                type: sum((sums for start, sums in spans.items() if start in newest), Sums())
                for type, spans in quarters.by_label.items()
            },
        )
