"""Reads how the system is doing, for everyone: counts and times, no user, no task, no host name."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from tasks.models import Attempt, Node, Queue, Task
from tasks.models.node import HEARTBEAT_SECONDS, NodeStatus
from tasks.statuses import QUEUED, Status

# Anyone may ask, so the database is asked only this often.
CACHE_SECONDS = 3.0
SPAN_MINUTES = 5
SPANS = 12
# Attempts are read from the newest back, by primary key; more than this in an hour are not counted.
MOST_ATTEMPTS = 20_000


@dataclass(frozen=True)
class QueueFacts:
    name: str
    title: str
    queued: int
    running: int
    oldest_at: datetime | None
    is_paused: bool


@dataclass(frozen=True)
class SystemStatus:
    """`ended` has (start, ended, failed) for each span of SPAN_MINUTES of the last hour."""

    queues: list[QueueFacts]
    node_count: int
    draining_count: int
    worker_count: int
    busy_count: int
    throttled: bool
    ended: list[tuple[datetime, int, int]]
    ended_count: int
    failed_count: int
    median_seconds: float | None
    read_at: datetime = field(default_factory=timezone.now)

    @property
    def queued_count(self) -> int:
        return sum(queue.queued for queue in self.queues)

    @property
    def is_well(self) -> bool:
        return self.worker_count > 0 and not any(queue.is_paused for queue in self.queues)


_cached: tuple[float, SystemStatus] | None = None


def read_status() -> SystemStatus:
    """Return the facts, at most CACHE_SECONDS old."""
    global _cached
    if _cached is None or time.monotonic() - _cached[0] > CACHE_SECONDS:
        _cached = (time.monotonic(), _read())
    return _cached[1]


def _read() -> SystemStatus:
    nodes = list(
        Node.objects.filter(
            status__in=[NodeStatus.ALIVE, NodeStatus.DRAINING],
            heartbeat_at__gt=timezone.now() - timedelta(seconds=HEARTBEAT_SECONDS),
        )
    )
    ended, seconds = _ended_lately()
    return SystemStatus(
        queues=_queues(),
        node_count=len(nodes),
        draining_count=sum(node.status == NodeStatus.DRAINING for node in nodes),
        worker_count=sum(node.workers for node in nodes if node.status == NodeStatus.ALIVE),
        busy_count=sum(len(node.running) for node in nodes),
        throttled=any(node.throttled for node in nodes),
        ended=ended,
        ended_count=sum(total for _, total, _ in ended),
        failed_count=sum(failed for _, _, failed in ended),
        median_seconds=sorted(seconds)[len(seconds) // 2] if seconds else None,
    )


def _queues() -> list[QueueFacts]:
    counts = {
        row["queue_id"]: row
        for row in Task.objects.filter(status__in=[*QUEUED, Status.RUNNING])
        .values("queue_id")
        .annotate(
            queued=Count("pk", filter=Q(status__in=QUEUED)),
            running=Count("pk", filter=Q(status=Status.RUNNING)),
            oldest_at=Min("created_at", filter=Q(status__in=QUEUED)),
        )
    }
    facts = []
    for queue in Queue.objects.exclude(name="system"):
        count = counts.get(queue.name)
        facts.append(
            QueueFacts(
                name=queue.name,
                title=queue.title,
                queued=count["queued"] if count else 0,
                running=count["running"] if count else 0,
                oldest_at=count["oldest_at"] if count else None,
                is_paused=queue.paused_at is not None,
            )
        )
    return facts


def _ended_lately() -> tuple[list[tuple[datetime, int, int]], list[float]]:
    now = timezone.now()
    minute = now.replace(second=0, microsecond=0)
    last_start = minute - timedelta(minutes=minute.minute % SPAN_MINUTES)
    starts = [last_start - timedelta(minutes=SPAN_MINUTES * back) for back in range(SPANS - 1, -1, -1)]
    totals: Counter[int] = Counter()
    failures: Counter[int] = Counter()
    seconds = []
    newest = Attempt.objects.order_by("-id").values_list("started_at", "finished_at", "outcome")[:MOST_ATTEMPTS]
    for started_at, finished_at, outcome in newest.iterator(chunk_size=2000):
        if finished_at < starts[0]:
            break
        span = int((finished_at - starts[0]).total_seconds() // (SPAN_MINUTES * 60))
        totals[span] += 1
        failures[span] += outcome in ("failed", "timed_out", "died", "lost")
        seconds.append((finished_at - started_at).total_seconds())
    return [(start, totals[place], failures[place]) for place, start in enumerate(starts)], seconds
