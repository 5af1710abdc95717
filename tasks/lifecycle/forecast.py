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

from tasks.lifecycle.expected import Kind, Knowledge, Range
from tasks.lifecycle.read import TaskRow
from tasks.models import Task

# To be claimed takes a moment, too: the pusher looks twice a second at the latest.
CLAIM_SECONDS = 0.5


class Standing(NamedTuple):
    """Where a queued task stands, as `explain_wait.sql` reads it; `ahead_kinds` and `busy_tasks` are JSON."""

    queue_paused: bool
    type_paused: bool
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
class Forecast:
    """In how many seconds a task starts, and ends if its first attempt succeeds."""

    starts_in: Range
    ends_in: Range


def foresee(task: Task | TaskRow, row: Standing) -> Forecast | None:
    """Return when a queued task starts and ends.

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
    known = Knowledge(busy)
    if (itself := known.of(own)) is None:
        return None
    work = [(known.seconds(each), each.number) for each in ahead]
    median = first_free(places, [known.remaining(each) for each in busy], work)
    # What most of the time goes to says how sure it is.
    weights = [(known.seconds(each) * each.number, known.of(each) or itself) for each in (*busy, *ahead)]
    most = max(weights, key=itemgetter(0), default=(0.0, itself))[1]
    starts = Range(
        max(0.0, min(median / most.below, median - CLAIM_SECONDS)),
        median,
        max(median * most.above, median + CLAIM_SECONDS),
    )
    return Forecast(starts, starts.then(itself.range))


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


def _kind(name: str, bucket: int, waits: bool, guess: float, *, number: int = 1, elapsed: float = 0.0) -> Kind:
    # Without threads all work is done by the workers.
    return Kind(name, bucket, waits and settings.WORKER_THREADS > 0, guess, number, elapsed)


def _like(own: Kind, others: Sequence[Kind]) -> list[Kind]:
    return [other for other in others if other.waits == own.waits]


def _places(kinds: Iterable[Kind], workers: int) -> int:
    """Return how many can run at once of such kinds: threads as this process's setting says, which nodes share."""
    return sum(workers * (settings.WORKER_THREADS if waits else 1) for waits in {kind.waits for kind in kinds})
