"""Estimates: learned per task type and input size, from what tasks took. Nobody can set them.

They weigh a task in its lane before it has run, say which tasks are short enough to be claimed together,
and answer "when will it start".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from tasks import registry, sql
from tasks.kept import kept
from tasks.models import Estimate, File, Learning
from tasks.periodic import duty

KEPT = 64
# Cut off at both ends before the mean is taken: one hung attempt must not make a type look slow.
TRIMMED = 0.1
# What a task costs a worker besides its handler.
LEAST_SECONDS = 0.0003
MOST_READ = 5000
LARGEST_BUCKET = 30
# Those of work that was measured, behind those of bytes.
FIRST_BUCKET_OF_WORK = 32
CACHE_SECONDS = 5.0
# Fewer tell nothing of the spread.
ENOUGH = 5


@dataclass(frozen=True)
class Learned:
    """What tasks of a type and size take, in seconds: the trimmed mean, the last times from short to long, and of those
    the 90th percentile.
    """

    seconds: float
    p90: float
    times: tuple[float, ...]

    @property
    def samples(self) -> int:
        """From how many it was learned, at most 64."""
        return len(self.times)


class AttemptToLearn(NamedTuple):
    """An attempt that has ended; `seconds` is None where it did not succeed."""

    id: int
    type: str
    size_bucket: int
    seconds: float | None


def size_bucket(size: int, files: Mapping[UUID, File]) -> int:
    """Return the size class of an input: 0 up to 1 KiB, then one more with each doubling; files count in full.

    Args:
        size: of the input as JSON, in characters.

    >>> size_bucket(100, {}), size_bucket(3000, {})
    (0, 2)
    """
    size += sum(file.size for file in files.values())
    return min(LARGEST_BUCKET, max(0, (size - 1) // 1024).bit_length())


def work_bucket(seconds: float) -> int:
    """Return the size class of work that was measured: one more with each doubling of the seconds that it is guessed.

    >>> work_bucket(0.4), work_bucket(8.0), work_bucket(15.9)
    (32, 36, 36)
    """
    return FIRST_BUCKET_OF_WORK + min(LARGEST_BUCKET, max(0, int(seconds)).bit_length())


def est_seconds(definition: registry.TaskType, bucket: int) -> float:
    """Return how long a task is expected to take: as learned, else as its type guesses."""
    learned = learned_for(definition.name, bucket)
    return learned.seconds if learned else definition.est_seconds


def learned_for(type_name: str, bucket: int, *, enough: int = ENOUGH, near: bool = True) -> Learned | None:
    """Return what was learned for a type and size, or for the nearest size of that type; None while nothing was.

    Args:
        enough: how many attempts it must have been learned from.
        near: whether another size will do.
    """
    known = _known()
    exact = known.get((type_name, bucket))
    if exact is not None and exact.samples >= enough:
        return exact
    if not near:
        return None
    nearest = [
        (abs(other - bucket), other)
        for (name, other), learned in known.items()
        if name == type_name and learned.samples >= enough
    ]
    return known[(type_name, min(nearest)[1])] if nearest else None


def times_of(type_name: str) -> list[float]:
    """Return the last times of a type in seconds, of all sizes."""
    return [each for (name, _), learned in _known().items() if name == type_name for each in learned.times]


@kept(seconds=CACHE_SECONDS)
def _known() -> dict[tuple[str, int], Learned]:
    return {
        (row.type, row.size_bucket): Learned(row.seconds, row.p90_seconds, tuple(sorted(row.recent)))
        for row in Estimate.objects.all()
    }


def forget_cache() -> None:
    """Read the estimates anew at the next question; for tests."""
    _known.forget()


@duty(every=5)
def learn_estimates() -> int:
    """Learn from attempts that succeeded since the last time; return how many there were."""
    with transaction.atomic():
        place = Learning.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if place is None:
            return 0
        asked = {"after": place.last_attempt, "limit": MOST_READ}
        rows = sql.run("lifecycle/attempts_to_learn", asked, row=AttemptToLearn)
        if not rows:
            return 0
        times: dict[tuple[str, int], list[float]] = defaultdict(list)
        for row in rows:
            if row.seconds is not None:
                times[(row.type, row.size_bucket)].append(row.seconds)
        for (type_name, bucket), seconds in sorted(times.items()):
            _learn(type_name, bucket, seconds)
        Learning.objects.filter(pk=1).update(last_attempt=max(row.id for row in rows))
        return len(rows)


def _learn(type_name: str, bucket: int, seconds: Sequence[float]) -> None:
    row = Estimate.objects.filter(type=type_name, size_bucket=bucket).first()
    recent = [*(row.recent if row else []), *seconds][-KEPT:]
    p50, p90 = _percentiles(recent)
    Estimate.objects.update_or_create(
        type=type_name,
        size_bucket=bucket,
        defaults={"recent": recent, "seconds": robust_mean(recent), "p50_seconds": p50, "p90_seconds": p90},
    )


def robust_mean(values: Sequence[float]) -> float:
    """Return the trimmed mean: a tenth cut off at each end, at least the extremes where there are five or more.

    >>> robust_mean([1.0, 1.0, 1.0, 1.0, 600.0])
    1.0
    """
    cut = max(1, int(len(values) * TRIMMED)) if len(values) >= ENOUGH else 0
    kept = sorted(values)[cut : len(values) - cut]
    return max(LEAST_SECONDS, fmean(kept))


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    cuts = quantiles(values, n=10, method="inclusive")
    return cuts[4], cuts[8]
