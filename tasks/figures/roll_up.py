"""Counts ended attempts in sums by time, queue, type, user and outcome: what charts and overviews read instead of them.

Nothing is added to what a finishing task writes: this comes behind it. docs/decisions/0050 says why by ids.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from django.db import transaction

from tasks import sql
from tasks.periodic import duty, in_rounds

LIMIT = 10_000
ROUND_SECONDS = 1.0
FORGET_LIMIT = 5_000


class Width(NamedTuple):
    """How long a span of time is, whether its sums are of one user each, and how long they are kept."""

    seconds: int
    is_own: bool
    keep: timedelta


# Of each user by the hour and the day only: by the minute there would be as many rows as attempts.
KEPT = (
    Width(60, False, timedelta(days=2)),
    Width(600, False, timedelta(days=9)),
    Width(3_600, False, timedelta(days=100)),
    Width(86_400, False, timedelta(days=1_100)),
    Width(3_600, True, timedelta(days=9)),
    Width(86_400, True, timedelta(days=400)),
)
# Of attempts from before there were sums, so many are counted: a month's chart has them.
LOOK_BACK = timedelta(days=35)


class Mark(NamedTuple):
    counted_to: int
    counted_from: int


class Taken(NamedTuple):
    """The attempts of a step, so many: ids behind `after` to `until`, late ones, those from `first` to `before`."""

    counted: int
    after: int
    until: int
    late: list[int]
    first: int
    before: int


@duty(every=10)
def roll_up_attempts() -> int:
    """Count what has ended since the last time, or some more of what had before there were sums. Returns how many."""
    return in_rounds(count_next, limit=LIMIT, seconds=ROUND_SECONDS)


def count_next() -> int:
    """Count the next attempts, LIMIT at most, in a transaction of their own; return how many. 0 while others do it."""
    with transaction.atomic():
        if sql.run_one("figures/lock_rollup_mark", {}, row=Mark) is None:
            return 0
        asked = {"limit": LIMIT, "look_back": LOOK_BACK.total_seconds()}
        [taken] = sql.run("figures/move_rollup_mark", asked, row=Taken)
        if taken.counted:
            widths = {"seconds": [width.seconds for width in KEPT], "own": [width.is_own for width in KEPT]}
            given = taken._asdict() | widths | {"look_back": LOOK_BACK.total_seconds()}
            given.pop("counted")
            sql.execute("figures/roll_up", given)
        return taken.counted


@duty(every=600)
def forget_rollups() -> int:
    """Delete the sums whose time of keeping is over."""
    return sum(in_rounds(lambda width=width: _forget(width), limit=FORGET_LIMIT) for width in KEPT)  # type: ignore[misc]


def _forget(width: Width) -> int:
    asked = {
        "seconds": width.seconds,
        "keep": width.keep.total_seconds(),
        "own": width.is_own,
        "limit": FORGET_LIMIT,
    }
    return sql.count("figures/forget_rollups", asked)
