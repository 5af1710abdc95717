"""How long tasks take, as a range: as learned; else by the few that ended; else by those that run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from statistics import quantiles
from typing import NamedTuple

from tasks.lifecycle.estimate import ENOUGH, learned_for, times_of

# How far the 90th percentile is at least above the median, and the 10th below: machines are busier at times. More
# where little is known of a type.
LEAST_SPREAD = 1.5
FEW_SPREAD = 2.5
FIRST_SPREAD = 4.0
# A task that has run longer than usual is expected to take this much of that again.
OVERTIME = 0.2


class Range(NamedTuple):
    """Seconds: eight of ten times it is between `p10` and `p90`, and half of the time below `p50`."""

    p10: float
    p50: float
    p90: float

    def then(self, other: Range) -> Range:
        """Return the range of one time after the other, which have nothing to do with each other.

        >>> Range(7, 10, 14).then(Range(6, 10, 13))
        Range(p10=15.0, p50=20, p90=25.0)
        """
        median = self.p50 + other.p50
        below = hypot(self.p50 - self.p10, other.p50 - other.p10)
        above = hypot(self.p90 - self.p50, other.p90 - other.p50)
        return Range(max(0.0, median - below), median, median + above)


@dataclass(frozen=True)
class Kind:
    """Tasks of one type and size. `number` of them stand in line; one that runs has done so for `elapsed` seconds."""

    type: str
    bucket: int
    waits: bool
    guess: float
    number: int = 1
    elapsed: float = 0.0


@dataclass(frozen=True)
class Expected:
    """How long a task takes; how many times its median the 90th percentile is, and the median the 10th."""

    seconds: float
    median: float
    above: float
    below: float

    @property
    def range(self) -> Range:
        return Range(self.median / self.below, self.median, self.median * self.above)


class Knowledge:
    """What is expected of each type, beside those that run just now."""

    def __init__(self, busy: Sequence[Kind] = ()) -> None:
        self._elapsed: dict[str, float] = {}
        self._found: dict[tuple[str, int], Expected | None] = {}
        for each in busy:
            self._elapsed[each.type] = max(each.elapsed, self._elapsed.get(each.type, 0.0))

    def of(self, kind: Kind) -> Expected | None:
        """Return what to expect of a task, None when nothing at all is known of its type."""
        place = kind.type, kind.bucket
        if place not in self._found:
            self._found[place] = self._look(kind)
        return self._found[place]

    def _look(self, kind: Kind) -> Expected | None:
        learned = learned_for(kind.type, kind.bucket, enough=1)
        if learned is not None and learned.samples >= ENOUGH:
            low, median, high = _percentiles(learned.times)
            above, below = high / max(median, 0.001), median / max(low, 0.001)
            return Expected(learned.seconds, median, max(LEAST_SPREAD, above), max(LEAST_SPREAD, below))
        elapsed = self._elapsed.get(kind.type)
        if learned is not None:
            seconds = max(learned.seconds, elapsed or 0.0)
            return Expected(seconds, seconds, FEW_SPREAD, FEW_SPREAD)
        if elapsed is None:
            return None
        # Seen at a moment by chance, what has run for a while is as likely to be in its first half as in its second.
        seconds = max(kind.guess, 2 * elapsed)
        return Expected(seconds, seconds, FIRST_SPREAD, FIRST_SPREAD)

    def seconds(self, kind: Kind) -> float:
        expected = self.of(kind)
        return kind.guess if expected is None else expected.seconds

    def remaining(self, kind: Kind) -> float:
        """Return how much longer one takes that runs."""
        return max(self.seconds(kind) - kind.elapsed, OVERTIME * kind.elapsed)


def ends_in(type_name: str, bucket: int, elapsed: float) -> Range | None:
    """Return in how many seconds a task ends that has run for a while: as those did that ran at least as long.

    None where too few of them are known.
    """
    learned = learned_for(type_name, bucket)
    if learned is None:
        return None
    longer = [each - elapsed for each in learned.times[bisect_right(learned.times, elapsed) :]]
    if len(longer) < ENOUGH:
        return None
    return Range(*_percentiles(longer))


def usual_range(type_name: str) -> Range | None:
    """Return how long tasks of a type took here, of any size; None while too few of them are known."""
    times = times_of(type_name)
    return Range(*_percentiles(times)) if len(times) >= ENOUGH else None


def _percentiles(times: Sequence[float]) -> tuple[float, float, float]:
    # Of what comes next, not of these: the shortest of few times is not the shortest there will be.
    cuts = quantiles(times, n=10, method="exclusive")
    return max(0.0, cuts[0]), cuts[4], cuts[8]
