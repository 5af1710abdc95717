"""Upkeep of many lanes: one that somebody keeps locked for long delays its own tasks and nobody else's."""

from __future__ import annotations

import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, TypeVar

from django.db import OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable, PipelineAborted, QueryCanceled

from tasks import sql

logger = logging.getLogger(__name__)

# What one round may wait, all in all, for lanes that do not come free.
PATIENCE_SECONDS = 0.5
MOST_PORTIONS = 4
# A failure that comes at once counts as this much waiting.
LEAST_WAIT_SECONDS = 0.05

# In a pipeline the statement behind the one that failed is the first whose rows are asked for.
WAITED_TOO_LONG = (LockNotAvailable, DeadlockDetected, QueryCanceled, PipelineAborted)

T = TypeVar("T")


class FreeLane(NamedTuple):
    id: int


def free_lanes(lanes: Iterable[int]) -> set[int]:
    """Return those of the lanes that nobody holds at this moment. Waits for none."""
    return {row.id for row in sql.run("lifecycle/free_lanes", {"lanes": sorted(set(lanes))}, row=FreeLane)}


def work_by_lane(
    find: Callable[[Collection[int]], Sequence[tuple[T, int]]],
    act: Callable[[Sequence[tuple[T, int]]], int],
    *,
    limit: int,
) -> int:
    """Do what is owed to lanes: together where nobody holds them, then one by one in the others; return how much.

    Transactions that lock many lanes wait for the first that somebody holds, and whoever wants one of the others waits
    with them. So the free ones come first, and each of the others by itself, as long as patience lasts; the next round
    goes on. How long a single lane is waited for is the connection's `lock_timeout`.

    Args:
        find: returns the next (what, lane), at most `limit`, that are not of these lanes: of one that is held there may
            be more than the limit, and the others' stand behind it.
        act: does it, in transactions of its own under these lanes' locks, and returns how much that was.
    """
    count = 0
    held: dict[int, list[tuple[T, int]]] = defaultdict(list)
    for _ in range(MOST_PORTIONS):
        rows = find(list(held))
        free = free_lanes(lane for _, lane in rows) if rows else set()
        portion = [row for row in rows if row[1] in free]
        done = _try(act, portion) if portion else 0
        for row in rows:
            if done is None or row[1] not in free:
                held[row[1]].append(row)
        count += done or 0
        if len(rows) < limit:
            break
    return count + _one_by_one(act, held)


def _one_by_one(act: Callable[[Sequence[tuple[T, int]]], int], held: dict[int, list[tuple[T, int]]]) -> int:
    count = 0
    waited = 0.0
    # In another order each round: where patience ends, others were served.
    for lane in random.sample(sorted(held), len(held)):
        if waited >= PATIENCE_SECONDS:
            break
        began = time.monotonic()
        done = _try(act, held[lane])
        if done is None:
            waited += max(time.monotonic() - began, LEAST_WAIT_SECONDS)
        count += done or 0
    return count


def _try(act: Callable[[Sequence[tuple[T, int]]], int], rows: Sequence[tuple[T, int]]) -> int | None:
    """Act; None where a lock could not be had in time. Any other trouble, such as a lost connection, is raised."""
    try:
        return act(rows)
    except OperationalError as error:
        if not isinstance(error.__cause__, WAITED_TOO_LONG):
            raise
        lanes = {lane for _, lane in rows}
        logger.warning("%s is left for later: %s", f"lane {lanes.pop()}" if len(lanes) == 1 else "many lanes", error)
        return None
