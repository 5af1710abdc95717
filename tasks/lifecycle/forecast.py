"""When a queued task may start: the places there are, what runs in them now, and what is ahead of it.

What waits for others runs in threads, many a worker, and the rest in the workers themselves: two kinds of places that
do not take each other's work. Pure arithmetic over one row of `sql/lifecycle/explain_wait.sql` and what was learned.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from django.conf import settings

from tasks.lifecycle.estimate import ENOUGH, learned_for
from tasks.lifecycle.read import TaskRow
from tasks.models import Task

# The 90th percentile of a wait is at least so much above its median; more where little is known of the types.
LEAST_SPREAD = 1.5
FEW_SPREAD = 2.5
FIRST_SPREAD = 4.0
# To be claimed takes a moment, too: the pusher looks twice a second at the latest.
CLAIM_SECONDS = 0.5
# A task that has run longer than usual is expected to take this much of that again.
OVERTIME = 0.2


class Standing(NamedTuple):
    """Where a queued task stands, as `explain_wait.sql` reads it; `ahead_kinds` and `busy_tasks` are JSON."""

    queue_paused: bool
    workers: int
    is_ready: bool
    waits: bool
    est_seconds: float
    slots: int
    share: float
    ahead: int
    ahead_kinds: str
    busy_tasks: str


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
    """How long a task takes, and how far the 90th percentile is above that."""

    seconds: float
    spread: float


def starts_in(task: Task | TaskRow, row: Standing) -> tuple[float, float] | None:
    """Return in how many seconds a task starts, median and 90th percentile.

    None while nothing is known of its type, and where its lane has no slots: those of disabled users have none.

    Args:
        row: of this task, in a cluster with workers.
    """
    if not row.is_ready and row.slots < 1:
        return None
    busy = [_kind(*each, elapsed=elapsed) for *each, elapsed in json.loads(row.busy_tasks)]
    ahead = [_kind(*each, number=number) for *each, number in json.loads(row.ahead_kinds)]
    own = _kind(task.type, task.size_bucket, row.waits, row.est_seconds)
    if row.is_ready:
        # It competes with the whole line, for one kind of places.
        busy, ahead = _like(own, busy), _like(own, ahead)
        places = float(_places([own], row.workers))
    else:
        # It waits for one of its lane's slots, which get the lane's share of the places; more where others leave some.
        share = _places([own, *busy, *ahead], row.workers) * row.share
        places = min(float(row.slots), max(share, len(busy), 0.1))
    known = _Knowledge(busy)
    if (itself := known.of(own)) is None:
        return None
    remaining = [_remaining(each, known) for each in busy]
    work = [(known.seconds(each), each.number) for each in ahead]
    median = first_free(places, remaining, work)
    # What most of the time goes to says how sure it is.
    weights = [(known.seconds(each) * each.number, known.of(each) or itself) for each in (*busy, *ahead)]
    spread = max(weights, key=itemgetter(0), default=(0.0, itself))[1].spread
    return median, max(median * spread, median + CLAIM_SECONDS)


def first_free(places: float, remaining: Sequence[float], work: Iterable[tuple[float, int]]) -> float:
    """Return when a place is free for a newcomer, if each place takes the next task as soon as it is free.

    Args:
        places: how many run at once; parts of one are possible, as a share of them.
        remaining: seconds that each of those that run still takes.
        work: seconds and number of those that stand before the newcomer.

    Two places with five and one second to go, and three tasks of four seconds before the newcomer:

    >>> first_free(2, [5.0, 1.0], [(4.0, 3)])
    9.0
    >>> first_free(0.5, [], [(4.0, 1)])
    8.0
    """
    count = max(1, int(places))
    # With parts of a place, all go slower or faster by as much.
    pace = count / places
    # Where more run than there are places, the first that end leave none.
    free = sorted(remaining)[-count:]
    free = [0.0] * (count - len(free)) + free
    heapq.heapify(free)
    for seconds, number in work:
        rounds, rest = divmod(number, count)
        free = [at + rounds * seconds * pace for at in free]
        for _ in range(rest):
            heapq.heapreplace(free, free[0] + seconds * pace)
    return free[0]


class _Knowledge:
    """What is expected of each type: as learned; else by the few that ended; else by those that run."""

    def __init__(self, busy: Sequence[Kind]) -> None:
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
            return Expected(learned.seconds, max(LEAST_SPREAD, learned.p90 / max(learned.p50, 0.001)))
        elapsed = self._elapsed.get(kind.type)
        if learned is not None:
            return Expected(max(learned.seconds, elapsed or 0.0), FEW_SPREAD)
        # Seen at a moment by chance, what has run for a while is as likely to be in its first half as in its second.
        return None if elapsed is None else Expected(max(kind.guess, 2 * elapsed), FIRST_SPREAD)

    def seconds(self, kind: Kind) -> float:
        expected = self.of(kind)
        return kind.guess if expected is None else expected.seconds


def _kind(name: str, bucket: int, waits: bool, guess: float, *, number: int = 1, elapsed: float = 0.0) -> Kind:
    # Without threads all work is done by the workers.
    return Kind(name, bucket, waits and settings.WORKER_THREADS > 0, guess, number, elapsed)


def _like(own: Kind, others: Sequence[Kind]) -> list[Kind]:
    return [other for other in others if other.waits == own.waits]


def _places(kinds: Iterable[Kind], workers: int) -> int:
    """Return how many can run at once of such kinds: threads as this process's setting says, which nodes share."""
    return sum(workers * (settings.WORKER_THREADS if waits else 1) for waits in {kind.waits for kind in kinds})


def _remaining(kind: Kind, known: _Knowledge) -> float:
    return max(known.seconds(kind) - kind.elapsed, OVERTIME * kind.elapsed)
