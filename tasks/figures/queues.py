"""How the queues are: what waits, how fast it goes, and whether submitters had better hold back."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from accounts.models import User
from tasks import sql
from tasks.figures.depths import QueueDepth
from tasks.models import Queue

# Everybody may ask, so the whole system is looked at once in this time, per process.
CACHE_SECONDS = 2.0
# As the operators' screens: more narrow rows than this would be felt by the workers.
CAP = 100_000
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
Value = TypeVar("Value")


class ClusterLoad(NamedTuple):
    """What a cluster's living nodes can do, what is ready for them, and how long the head of the line has waited."""

    cluster: str
    workers: int
    throttled: bool
    ready: int
    head_seconds: float | None


class OwnDepth(NamedTuple):
    queue: str
    queued: int
    running: int
    oldest_seconds: float | None


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
class Depth:
    """Tasks that wait and run, counted no further than CAP; the age is of the oldest that waits."""

    queued: int = 0
    running: int = 0
    oldest_seconds: float | None = None


@dataclass(frozen=True)
class SystemFigures:
    """Of all users together: for operators. Percentiles are the median and the 90th, of the last hour."""

    held: int
    ready: int
    running: int
    oldest_seconds: float | None
    workers: int
    ended_per_minute: float
    failed_share: float | None
    waited: Percentiles
    ran: Percentiles


@dataclass(frozen=True)
class QueueFigures:
    """A queue as one user may see it; `system` only as operators may."""

    queue: Queue
    own: Depth
    has_workers: bool
    crowded: bool
    throttled: bool
    retry_after_seconds: int | None
    system: SystemFigures


SystemRows = tuple[dict[str, QueueDepth], dict[str, QueueSpeed]]


class Kept:
    """What was found out last, for CACHE_SECONDS. Two threads may both look: the answer is the same."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, Any]] = {}

    def get(self, name: str, look: Callable[[], Value]) -> Value:
        at, value = self._found.get(name, (float("-inf"), None))
        if time.monotonic() - at <= CACHE_SECONDS:
            return value  # type: ignore[no-any-return]
        fresh = look()
        self._found[name] = (time.monotonic(), fresh)
        return fresh

    def forget(self) -> None:
        self._found.clear()


kept = Kept()


def read_queues(user: User) -> list[QueueFigures]:
    """Return the figures of every queue, by name."""
    loads = kept.get("loads", _load_rows)
    systems = kept.get("systems", _system_rows)
    own = {row.queue: row for row in sql.run("figures/own_depths", {"owner": user.pk, "cap": CAP}, row=OwnDepth)}
    return [_figures(queue, loads.get(queue.cluster_id), systems, own.get(queue.name)) for queue in Queue.objects.all()]


def _load_rows() -> dict[str, ClusterLoad]:
    return {row.cluster: row for row in sql.run("figures/cluster_load", {"cap": CAP}, row=ClusterLoad)}


def _system_rows() -> SystemRows:
    depths = {row.queue: row for row in sql.run("figures/queue_depths", {"cap": CAP}, row=QueueDepth)}
    asked = {"most": MOST_ATTEMPTS, "window": WINDOW_SECONDS}
    speeds = {row.queue: row for row in sql.run("figures/queue_speed", asked, row=QueueSpeed)}
    return depths, speeds


def _figures(queue: Queue, load: ClusterLoad | None, systems: SystemRows, own: OwnDepth | None) -> QueueFigures:
    depth, speed = systems[0].get(queue.name), systems[1].get(queue.name)
    workers = load.workers if load else 0
    head_seconds = (load.head_seconds if load else None) or 0.0
    crowded = bool(load and (head_seconds > CROWDED_SECONDS or load.ready > CROWDED_PER_WORKER * max(1, workers)))
    throttled = bool(load and load.throttled)
    return QueueFigures(
        queue=queue,
        own=Depth(own.queued, own.running, own.oldest_seconds) if own else Depth(),
        has_workers=workers > 0,
        crowded=crowded,
        throttled=throttled,
        retry_after_seconds=_hold_back(queue, crowded=crowded, throttled=throttled, head_seconds=head_seconds),
        system=SystemFigures(
            held=depth.held if depth else 0,
            ready=depth.ready if depth else 0,
            running=depth.running if depth else 0,
            oldest_seconds=depth.oldest_seconds if depth else None,
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
