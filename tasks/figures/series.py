"""What ended over time: throughput, failures, and how long tasks waited and ran, for charts and overviews.

Read from sums (`tasks.figures.roll_up`) and the few attempts that are not counted yet: a chart of a month costs as much
with ten million ended tasks as with ten thousand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from accounts.models import User
from tasks import sql
from tasks.figures.depths import CAP
from tasks.figures.histogram import Histogram, percentile
from tasks.figures.roll_up import KEPT
from tasks.models.attempt import FAILING

By = Literal["", "queue", "type"]


class SumRow(NamedTuple):
    """The sums of a span and label; all of it but the last two is null where nothing ended at all."""

    starts_at: datetime | None
    label: str
    succeeded: int
    failed: int
    others: int
    run_seconds: float
    waits: int
    wait_seconds: float
    run_places: list[int]
    run_counts: list[int]
    wait_places: list[int]
    wait_counts: list[int]
    is_cut: bool
    whole_since: datetime | None


@dataclass
class Sums:
    """Attempts that ended: those that succeeded, those that failed, and `others`, which tell nothing of the system.

    `run_seconds` is the worker time of all of them; the histograms are of the run times of those that succeeded, and of
    the waits of first attempts. Percentiles are right up to `histogram.ERROR_FACTOR`: 9 per cent.
    """

    succeeded: int = 0
    failed: int = 0
    others: int = 0
    run_seconds: float = 0.0
    waits: int = 0
    wait_seconds: float = 0.0
    run: Histogram = field(default_factory=Counter)
    wait: Histogram = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """What counts: without the others."""
        return self.succeeded + self.failed

    def run_percentile(self, share: float) -> float | None:
        """Return about the seconds that this share of those that succeeded ran at most."""
        return percentile(self.run, share)

    def wait_percentile(self, share: float) -> float | None:
        """Return about the seconds that this share of the tasks waited at most for their first attempt."""
        return percentile(self.wait, share)

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.succeeded + other.succeeded,
            self.failed + other.failed,
            self.others + other.others,
            self.run_seconds + other.run_seconds,
            self.waits + other.waits,
            self.wait_seconds + other.wait_seconds,
            self.run + other.run,
            self.wait + other.wait,
        )


@dataclass(frozen=True)
class Series:
    """Sums by label (queue or type; empty where all are together) and start of span; `starts` has every span's.

    `is_cut`: more has ended since the last counting than is read, and the newest of it is shown. `whole_since`: some
    that ended before are not in it, being cut off or still to be counted after an upgrade; None: all are.
    """

    starts: list[datetime]
    by_label: dict[str, dict[datetime, Sums]]
    is_cut: bool
    whole_since: datetime | None

    def points(self, label: str = "") -> list[tuple[datetime, Sums]]:
        """Return the sums of every span, those in which nothing ended included."""
        found = self.by_label.get(label, {})
        return [(start, found.get(start, Sums())) for start in self.starts]

    def total(self, label: str = "", *, since: datetime | None = None) -> Sums:
        """Return the sums of all spans together, or of those that begin then or later."""
        found = self.by_label.get(label, {}).items()
        return sum((sums for start, sums in found if since is None or start >= since), Sums())


def read_series(
    since: datetime,
    until: datetime,
    *,
    span: timedelta,
    by: By = "",
    queue: str = "",
    type: str = "",
    owner: User | None = None,
) -> Series:
    """Return what ended in each span of time.

    Args:
        since: the start of the first span. Where it lies within one of the sums that are read, all of that is counted:
            give the start of a minute, of ten minutes, an hour or a day (UTC), whichever the span is a multiple of.
        until: what ended then or later is left out.
        span: how wide; for one user an hour at least, for everybody a minute.
        by: the label of the sums.
        queue, type: only attempts of these.
        owner: only this user's; None for all.

    Raises:
        ValueError: no sums of that width are kept, or none as old.
    """
    width = _width(span, since, until, is_own=owner is not None)
    asked = {
        "width": width,
        "first": since - (since - _start_of_day(since)) % timedelta(seconds=width),
        "since": since,
        "until": until,
        "span": span,
        "by": by,
        "queue": queue,
        "type": type,
        "owner": owner.pk if owner else None,
        "failing": list(FAILING),
        "most": CAP,
    }
    rows = sql.run("figures/read_rollups", asked, row=SumRow)
    by_label: dict[str, dict[datetime, Sums]] = {}
    for row in rows:
        if row.starts_at is not None:
            by_label.setdefault(row.label, {})[row.starts_at] = _sums(row)
    starts = [since + span * number for number in range(-((since - until) // span))]
    return Series(starts, by_label, rows[0].is_cut, rows[0].whole_since)


def _sums(row: SumRow) -> Sums:
    return Sums(
        row.succeeded,
        row.failed,
        row.others,
        row.run_seconds,
        row.waits,
        row.wait_seconds,
        Counter(dict(zip(row.run_places, row.run_counts, strict=True))),
        Counter(dict(zip(row.wait_places, row.wait_counts, strict=True))),
    )


def _width(span: timedelta, since: datetime, until: datetime, *, is_own: bool) -> int:
    """Return the widest of the sums that fit into a span and reach back so far."""
    fitting = [
        width.seconds
        for width in KEPT
        if width.is_own == is_own
        and span % timedelta(seconds=width.seconds) == timedelta()
        and until - since <= width.keep
    ]
    if not fitting:
        raise ValueError(f"No sums of attempts serve spans of {span} over {until - since}.")
    return max(fitting)


def _start_of_day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
