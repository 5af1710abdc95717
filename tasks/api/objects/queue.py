"""A queue as the API shows it; figures of the whole system are for operators."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pydantic import Field

from tasks.api.objects.shape import Shape, Urls
from tasks.figures.queues import Percentiles, QueueFigures, SystemFigures

BASE = "/api/v1/queues"


class OwnDepth(Shape):
    """Your own tasks in this queue."""

    queued: int
    running: int
    oldest_seconds: float | None = Field(description="since the oldest that is queued was submitted, or its time came")


class Quantiles(Shape):
    """Seconds."""

    p50: float
    p90: float


class SystemDepth(Shape):
    """Of all users, over the last hour where it is about time. Counts stop at 100,000."""

    held: int = Field(description="waiting for a slot")
    ready: int = Field(description="waiting for a worker")
    running: int
    oldest_seconds: float | None
    partial: list[str] = Field(
        description="statuses that more tasks have, in all queues, than are counted: their counts here, and the age "
        "where they wait, are lower bounds, and 0 may be many"
    )
    workers: int = Field(description="of the queue's cluster")
    ended_per_minute: float
    failed_share: float | None = Field(description="of the attempts that ended; null when none did")
    waited: Quantiles | None = Field(description="seconds from when a task was due to its first attempt")
    ran: Quantiles | None = Field(description="seconds of attempts that succeeded")


class Queue(Shape):
    """A named line of tasks, and whether it takes them as fast as they come."""

    name: str
    title: str
    paused: bool
    has_workers: bool
    crowded: bool = Field(description="ready tasks wait long for a worker: more will wait longer")
    throttled: bool = Field(description="every node holds back because of its load")
    retry_after_seconds: int | None = Field(description="submit more after this time; null: now")
    own: OwnDepth
    system: SystemDepth | None = Field(description="null unless you may operate")
    urls: Urls


def queue_object(figures: QueueFigures, *, for_operator: bool) -> dict[str, Any]:
    """Return a queue as JSON."""
    return {
        "name": figures.queue.name,
        "title": figures.queue.title,
        "paused": figures.queue.paused_at is not None,
        "has_workers": figures.has_workers,
        "crowded": figures.crowded,
        "throttled": figures.throttled,
        "retry_after_seconds": figures.retry_after_seconds,
        "own": {
            "queued": figures.own.queued,
            "running": figures.own.running,
            "oldest_seconds": _rounded(figures.own.oldest_seconds),
        },
        "system": _system_object(figures.system) if for_operator else None,
        "urls": {"self": f"{BASE}/{quote(figures.queue.name, safe='')}"},
    }


def _system_object(figures: SystemFigures) -> dict[str, Any]:
    return {
        "held": figures.depth.held,
        "ready": figures.depth.ready,
        "running": figures.depth.running,
        "oldest_seconds": _rounded(figures.depth.oldest_seconds),
        "partial": sorted(figures.depth.cut),
        "workers": figures.workers,
        "ended_per_minute": figures.ended_per_minute,
        "failed_share": figures.failed_share,
        "waited": _quantiles(figures.waited),
        "ran": _quantiles(figures.ran),
    }


def _quantiles(pair: Percentiles) -> dict[str, float] | None:
    return None if pair is None else {"p50": pair[0], "p90": pair[1]}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
