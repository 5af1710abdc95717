"""Where a task goes: its queue's cluster, and the user's lane there."""

from __future__ import annotations

from typing import Any, NamedTuple

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.kept import Kept, kept
from tasks.models import Queue

# Queues rarely change; a moved queue takes effect for new tasks within this time. Lanes stay as long as their users,
# but a database that was restored has others.
CACHE_SECONDS = 5.0
MOST_LANES = 10_000

_lanes: Kept[int] = Kept(seconds=CACHE_SECONDS, most=MOST_LANES)


def forget_cache() -> None:
    """Read everything anew: for tests that change databases."""
    _clusters.forget()
    _lanes.forget()


class OpenedLane(NamedTuple):
    id: int


def queue_and_cluster(name: str) -> tuple[str, str]:
    """Return a queue's name and cluster.

    Raises:
        EngineUnavailable: the task type points at a queue that does not exist.
    """
    clusters = _clusters()
    if name not in clusters:
        # It may have been made a moment ago.
        _clusters.forget()
        clusters = _clusters()
    if name not in clusters:
        raise errors.EngineUnavailable(
            f"The queue {name!r} of such tasks does not exist yet. An operator can make it in the admin under Queues."
        )
    return name, clusters[name]


@kept(seconds=CACHE_SECONDS)
def _clusters() -> dict[str, str]:
    return dict(Queue.objects.values_list("name", "cluster_id"))


def lane_of(user: User, cluster: str) -> int:
    """Return the id of the user's lane in a cluster, making it where needed.

    Nobody waits for another's look-up: that may itself wait for the lane that an open transaction has just made.
    """
    known = _lanes.get((user.pk, cluster))
    if known is not None:
        return known
    mark = _lanes.mark()
    place: dict[str, Any] = {"user": user.pk, "cluster": cluster, "slots": None, "weight": None}
    rows = sql.run("lifecycle/open_lane", place, row=OpenedLane)
    if not rows:
        # Anew: the lane keeps them until they change.
        limits = limits_of(user)
        place |= {"slots": limits.slots, "weight": limits.weight}
        # Lost against a concurrent insert, the statement sees neither row; the second time it sees the winner's.
        rows = sql.run("lifecycle/open_lane", place, row=OpenedLane) or sql.run(
            "lifecycle/open_lane", place, row=OpenedLane
        )
    lane = rows[0].id
    _lanes.put((user.pk, cluster), lane, mark)
    return lane
