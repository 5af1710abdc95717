"""How the queues are: what waits, how fast it goes, and whether submitters had better hold back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from accounts.models import User
from tasks import sql
from tasks.figures.depths import CAP, Depth, Depths, OwnDepth, own_depths, queue_depths
from tasks.kept import kept
from tasks.models import Queue
from tasks.models.attempt import FAILING
from tasks.models.node import HEARTBEAT_SECONDS

# Everybody may ask, so the whole system is looked at once in this time, per process.
CACHE_SECONDS = 2.0
WINDOW_SECONDS = 3600
MOST_ATTEMPTS = 5000
# Crowded: the head of the shared line has waited this long, or so many tasks are ready for each worker.
CROWDED_SECONDS = 30.0
CROWDED_PER_WORKER = 4
# How long submitters are asked to hold back.
PAUSED_RETRY_SECONDS = 60
THROTTLED_RETRY_SECONDS = 15
LONGEST_RETRY_SECONDS = 300

Percentiles = tuple[float, float] | None


class ClusterLoad(NamedTuple):
    """What a cluster's living nodes can do, what is ready for them, and how long the head of the line has waited."""

    cluster: str
    workers: int
    throttled: bool
    ready: int
    head_seconds: float | None


class QueueSpeed(NamedTuple):
    """What ended in the window, or in the last `over_seconds` where more ended than is read (`is_cut`)."""

    queue: str
    ended: int
    failed: int
    over_seconds: float
    is_cut: bool
    waited: list[float] | None
    ran: list[float] | None


@dataclass(frozen=True)
class SystemFigures:
    """Of all users together: for operators. Percentiles are the median and the 90th, of the last hour."""

    depth: Depth
    workers: int
    ended_per_minute: float
    failed_share: float | None
    waited: Percentiles
    ran: Percentiles


@dataclass(frozen=True)
class QueueFigures:
    """A queue as one user may see it; `system` only as operators may."""

    queue: Queue
    own: OwnDepth
    has_workers: bool
    crowded: bool
    throttled: bool
    retry_after_seconds: int | None
    system: SystemFigures


def read_queues(user: User) -> list[QueueFigures]:
    """Return the figures of every queue, by name."""
    loads, depths, speeds = _loads(), _depths(), _speeds()
    own = own_depths(user)
    return [
        _figures(
            queue,
            load=loads.get(queue.cluster_id),
            depth=depths[queue.name],
            speed=speeds.get(queue.name),
            own=own.get(queue.name, OwnDepth(queue.name, 0, 0, None)),
        )
        for queue in Queue.objects.all()
    ]


@kept(seconds=CACHE_SECONDS)
def _loads() -> dict[str, ClusterLoad]:
    asked = {"cap": CAP, "heartbeat": HEARTBEAT_SECONDS}
    return {row.cluster: row for row in sql.run("figures/cluster_load", asked, row=ClusterLoad)}


@kept(seconds=CACHE_SECONDS)
def _depths() -> Depths:
    return queue_depths()


@kept(seconds=CACHE_SECONDS)
def _speeds() -> dict[str, QueueSpeed]:
    asked = {"most": MOST_ATTEMPTS, "window": WINDOW_SECONDS, "failing": list(FAILING)}
    return {row.queue: row for row in sql.run("figures/queue_speed", asked, row=QueueSpeed)}


def _figures(
    queue: Queue, *, load: ClusterLoad | None, depth: Depth, speed: QueueSpeed | None, own: OwnDepth
) -> QueueFigures:
    workers = load.workers if load else 0
    head_seconds = (load.head_seconds if load else None) or 0.0
    crowded = bool(load and (head_seconds > CROWDED_SECONDS or load.ready > CROWDED_PER_WORKER * max(1, workers)))
    throttled = bool(load and load.throttled)
    return QueueFigures(
        queue=queue,
        own=own,
        has_workers=workers > 0,
        crowded=crowded,
        throttled=throttled,
        retry_after_seconds=_hold_back(queue, crowded=crowded, throttled=throttled, head_seconds=head_seconds),
        system=SystemFigures(
            depth=depth,
            workers=workers,
            # A limited number of attempts is read: where they are from less than the hour, they tell of that time.
            ended_per_minute=round(60 * speed.ended / _period(speed), 2) if speed else 0.0,
            failed_share=round(speed.failed / speed.ended, 4) if speed and speed.ended else None,
            waited=_pair(speed.waited) if speed else None,
            ran=_pair(speed.ran) if speed else None,
        ),
    )


def _period(speed: QueueSpeed) -> float:
    """Return the seconds that the attempts read are from: the window, unless there were more in it."""
    return max(1.0, speed.over_seconds) if speed.is_cut else float(WINDOW_SECONDS)


def _hold_back(queue: Queue, *, crowded: bool, throttled: bool, head_seconds: float) -> int | None:
    if queue.paused_at is not None:
        return PAUSED_RETRY_SECONDS
    if crowded:
        return min(LONGEST_RETRY_SECONDS, max(THROTTLED_RETRY_SECONDS, math.ceil(head_seconds)))
    return THROTTLED_RETRY_SECONDS if throttled else None


def _pair(found: Sequence[float | None] | None) -> Percentiles:
    if not found or found[0] is None or found[1] is None:
        return None
    return round(found[0], 3), round(found[1], 3)
