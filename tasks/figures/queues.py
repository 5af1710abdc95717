"""How the queues are: what waits, how fast it goes, and whether submitters had better hold back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from accounts.models import User
from tasks import sql
from tasks.figures.depths import CAP, Depth, Depths, OwnDepth, own_depths, queue_depths
from tasks.figures.series import Sums, read_series
from tasks.kept import kept
from tasks.models import Queue
from tasks.models.node import HEARTBEAT_SECONDS
from tasks.sql.index_order import in_index_order

# Everybody may ask, so the whole system is looked at once in this time, per process.
CACHE_SECONDS = 2.0
# What ended within the last hour changes slowly.
SPEED_SECONDS = 10.0
WINDOW = timedelta(hours=1)
WINDOW_SPAN = timedelta(minutes=1)
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


class Speeds(NamedTuple):
    """What ended of each queue in the last so many minutes: an hour, or less where not all of that is counted."""

    sums: dict[str, Sums]
    minutes: float


@dataclass(frozen=True)
class SystemFigures:
    """Of all users together: for operators. Percentiles are the median and the 90th.

    Of the last hour; of less where not all of that is counted, as just after an upgrade.
    """

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
            speed=speeds.sums.get(queue.name, Sums()),
            minutes=speeds.minutes,
            own=own.get(queue.name, OwnDepth(queue.name, 0, 0, None)),
        )
        for queue in Queue.objects.all()
    ]


@kept(seconds=CACHE_SECONDS)
def _loads() -> dict[str, ClusterLoad]:
    asked = {"cap": CAP, "heartbeat": HEARTBEAT_SECONDS}
    with in_index_order():
        return {row.cluster: row for row in sql.run("figures/cluster_load", asked, row=ClusterLoad)}


@kept(seconds=CACHE_SECONDS)
def _depths() -> Depths:
    return queue_depths()


@kept(seconds=SPEED_SECONDS)
def _speeds() -> Speeds:
    now = timezone.now()
    since = now - WINDOW
    series = read_series(since, now, span=WINDOW_SPAN, by="queue")
    # Just after an upgrade the past is still to be counted; of very much only the newest is.
    if series.whole_since is not None and series.whole_since > since:
        # From the start of the next span on, but the last one at least.
        since = next((start for start in series.starts if start >= series.whole_since), series.starts[-1])
    sums = {queue: series.total(queue, since=since) for queue in series.by_label}
    return Speeds(sums, (now - since) / timedelta(minutes=1))


def _figures(
    queue: Queue, *, load: ClusterLoad | None, depth: Depth, speed: Sums, minutes: float, own: OwnDepth
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
            ended_per_minute=round(speed.total / minutes, 2),
            failed_share=round(speed.failed / speed.total, 4) if speed.total else None,
            waited=_pair(speed.wait_percentile),
            ran=_pair(speed.run_percentile),
        ),
    )


def _hold_back(queue: Queue, *, crowded: bool, throttled: bool, head_seconds: float) -> int | None:
    if queue.paused_at is not None:
        return PAUSED_RETRY_SECONDS
    if crowded:
        return min(LONGEST_RETRY_SECONDS, max(THROTTLED_RETRY_SECONDS, math.ceil(head_seconds)))
    return THROTTLED_RETRY_SECONDS if throttled else None


def _pair(percentile: Callable[[float], float | None]) -> Percentiles:
    median, slow = percentile(0.5), percentile(0.9)
    return None if median is None or slow is None else (round(median, 3), round(slow, 3))
