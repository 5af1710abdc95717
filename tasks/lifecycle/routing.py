"""Where a task goes: its queue's cluster, and the user's lane there."""

from __future__ import annotations

import time
from typing import NamedTuple

from django.db import connection

from accounts.limits import Limits
from accounts.models import User
from tasks import errors, sql
from tasks.models import Queue

# Queues rarely change; a moved queue takes effect for new tasks within this time. Lanes stay as long as their users,
# but a database that was restored has others.
CACHE_SECONDS = 5.0
MOST_LANES = 10_000

_queues: dict[str, str] = {}
_read_at = float("-inf")
_lanes: dict[tuple[int, str], tuple[float, int]] = {}


def forget_cache() -> None:
    """Read everything anew: for tests that change databases."""
    global _read_at
    _read_at = float("-inf")
    _lanes.clear()


class OpenedLane(NamedTuple):
    id: int


def queue_and_cluster(name: str) -> tuple[str, str]:
    """Return a queue's name and cluster.

    Raises:
        EngineUnavailable: the task type points at a queue that does not exist.
    """
    global _queues, _read_at
    if name not in _queues or time.monotonic() - _read_at > CACHE_SECONDS:
        _queues = dict(Queue.objects.values_list("name", "cluster_id"))
        _read_at = time.monotonic()
    if name not in _queues:
        raise errors.EngineUnavailable(f"The queue {name!r} does not exist. Make it in the admin under Queues.")
    return name, _queues[name]


def lane_of(user: User, cluster: str, limits: Limits) -> int:
    """Return the id of the user's lane in a cluster, making it where needed."""
    now = time.monotonic()
    until, known = _lanes.get((user.pk, cluster), (0.0, 0))
    if now < until:
        return known
    place = {"user": user.pk, "cluster": cluster, "slots": limits.slots, "weight": limits.weight}
    # Lost against a concurrent insert, the statement sees neither row; the second time it sees the winner's.
    rows = sql.run("lifecycle/open_lane", place, row=OpenedLane) or sql.run(
        "lifecycle/open_lane", place, row=OpenedLane
    )
    lane = rows[0].id
    # Within a transaction it may have been made just now, and be rolled back.
    if not connection.in_atomic_block:
        if len(_lanes) >= MOST_LANES:
            _lanes.clear()
        _lanes[user.pk, cluster] = (now + CACHE_SECONDS, lane)
    return lane
