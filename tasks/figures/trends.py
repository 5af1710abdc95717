"""How work went over an hour, a day, a week or a month: of all, by queue, by type; read once for all who look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from django.utils import timezone

from tasks.figures.bounded import bounded_queries
from tasks.figures.series import By, Series, Sums, read_series
from tasks.kept import kept

# Whoever looks at the same within this time gets the same.
KEPT_SECONDS = 10.0
MOST_KEPT = 100

Period = Literal["hour", "day", "week", "month"]


@dataclass(frozen=True)
class Scale:
    """How far back a chart goes, and how wide its spans are: a multiple of the sums that are kept."""

    length: timedelta
    span: timedelta


SCALES: dict[str, Scale] = {
    "hour": Scale(timedelta(hours=1), timedelta(minutes=1)),
    "day": Scale(timedelta(days=1), timedelta(minutes=20)),
    "week": Scale(timedelta(days=7), timedelta(hours=3)),
    "month": Scale(timedelta(days=30), timedelta(days=1)),
}


@dataclass(frozen=True)
class Trend:
    """The sums of each span, of one label or of everything; `whole` is all of them together."""

    label: str
    points: list[tuple[datetime, Sums]]
    whole: Sums


@dataclass(frozen=True)
class Trends:
    """One trend of all together, and one of each label in the order of how much of it ended.

    `is_partial`: more has ended than was read, or what ended before an upgrade is still being counted.
    """

    scale: Scale
    every: Trend
    by_label: list[Trend]
    is_partial: bool


@kept(seconds=KEPT_SECONDS, most=MOST_KEPT)
def read_trends(period: str, by: By, *, queue: str = "", type: str = "") -> Trends:
    """Return the trends of a period, as they were at most ten seconds ago.

    Args:
        by: what the trends are of; queues, or types.
        queue, type: only of these.

    Raises:
        django.db.OperationalError: it took longer than five seconds.
    """
    scale = SCALES[period]
    until = _end(timezone.now(), scale.span)
    with bounded_queries(by_index=True):
        series = read_series(until - scale.length, until, span=scale.span, by=by, queue=queue, type=type)
    trends = [_trend(series, label) for label in series.by_label]
    return Trends(
        scale=scale,
        every=_together(series),
        by_label=sorted(trends, key=lambda trend: (-trend.whole.total, trend.label)),
        is_partial=series.is_cut or (series.whole_since is not None and series.whole_since > series.starts[0]),
    )


def _trend(series: Series, label: str) -> Trend:
    return Trend(label, series.points(label), series.total(label))


def _together(series: Series) -> Trend:
    found: dict[datetime, Sums] = {}
    for spans in series.by_label.values():
        for start, sums in spans.items():
            found[start] = found[start] + sums if start in found else sums
    points = [(start, found.get(start, Sums())) for start in series.starts]
    return Trend("", points, sum(found.values(), Sums()))


def _end(now: datetime, span: timedelta) -> datetime:
    """Return the end of the span that a moment lies in; spans begin at multiples of their width since 1970 (UTC)."""
    since = now.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return now.astimezone(UTC) - since % span + span
