"""Bars as SVG shapes: positions are computed here, so that templates need no inline styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

WIDTH = 600
HEIGHT = 100


@dataclass(frozen=True)
class Bar:
    """One bar in a drawing of WIDTH × HEIGHT; `bad` is the height of its failed part, drawn at its foot."""

    x: float
    width: float
    y: float
    height: float
    bad_y: float
    bad: float
    label: str
    count: int
    failed: int


def bars_by_day(rows: Sequence[Any], *, days: int) -> list[Bar]:
    """Return a bar a day, today last. `rows` have `day`, `attempts` and `failed`."""
    today = timezone.now().date()
    counts: dict[date, list[int]] = {today - timedelta(days=back): [0, 0] for back in range(days - 1, -1, -1)}
    for row in rows:
        if row.day in counts:
            counts[row.day][0] += row.attempts
            counts[row.day][1] += row.failed
    return _bars([(date_format(day, "MONTH_DAY_FORMAT"), total, failed) for day, (total, failed) in counts.items()])


def bars_by_minute(ended: Sequence[tuple[datetime, int, int]]) -> list[Bar]:
    """Return a bar for each span of time: its start, how many tasks ended, how many of them failed."""
    return _bars([(timezone.localtime(start).strftime("%H:%M"), total, failed) for start, total, failed in ended])


def _bars(values: Sequence[tuple[str, int, int]]) -> list[Bar]:
    if not values:
        return []
    highest = max(1, *(total for _, total, _ in values))
    step = WIDTH / len(values)
    bars = []
    for place, (label, total, failed) in enumerate(values):
        height, bad = total / highest * (HEIGHT - 4), failed / highest * (HEIGHT - 4)
        bars.append(
            Bar(
                x=round(place * step + step * 0.15, 2),
                width=round(step * 0.7, 2),
                y=round(HEIGHT - height, 2),
                height=round(height, 2),
                bad_y=round(HEIGHT - bad, 2),
                bad=round(bad, 2),
                label=label,
                count=total,
                failed=failed,
            )
        )
    return bars
