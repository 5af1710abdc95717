"""Reads how the system is doing, for everyone: counts and times, no user, no task, no host name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from tasks.figures.bounded import bounded_queries
from tasks.figures.clusters import ClusterFigures, read_clusters
from tasks.figures.depths import Depth, at_least, queue_depths
from tasks.figures.ended import HOUR, Ended, ended_since
from tasks.kept import kept
from tasks.models import Queue

# Anyone may ask, so the database is asked only this often, however many ask at once.
CACHE_SECONDS = 3.0
SPAN = timedelta(minutes=5)


@dataclass(frozen=True)
class QueueFacts:
    name: str
    title: str
    depth: Depth
    oldest_at: datetime | None
    is_paused: bool


@dataclass(frozen=True)
class SystemStatus:
    """`bars` has (start, ended, failed) for each span of the last hour, of which `ended` is all."""

    queues: list[QueueFacts]
    clusters: list[ClusterFigures]
    ended: Ended
    bars: list[tuple[datetime, int, int]]
    read_at: datetime = field(default_factory=timezone.now)

    @property
    def queued_text(self) -> str:
        return at_least(sum(queue.depth.queued for queue in self.queues), any(q.depth.is_partial for q in self.queues))

    @property
    def draining_count(self) -> int:
        return sum(cluster.draining for cluster in self.clusters)

    @property
    def node_count(self) -> int:
        return sum(cluster.alive for cluster in self.clusters) + self.draining_count

    @property
    def worker_count(self) -> int:
        return sum(cluster.workers for cluster in self.clusters)

    @property
    def busy_count(self) -> int:
        return sum(cluster.busy for cluster in self.clusters)

    @property
    def throttled(self) -> bool:
        return any(cluster.throttled for cluster in self.clusters)

    @property
    def is_well(self) -> bool:
        return self.worker_count > 0 and not any(queue.is_paused for queue in self.queues)


@kept(seconds=CACHE_SECONDS)
def read_status() -> SystemStatus:
    """Return the facts, at most CACHE_SECONDS old: the same for everybody, found out once.

    Raises:
        django.db.OperationalError: one of its statements took longer than five seconds.
    """
    starts = _starts(timezone.now())
    with bounded_queries(by_index=True):
        ended = ended_since(starts[0], within=HOUR, span=SPAN)
        return SystemStatus(
            queues=_queues(),
            clusters=read_clusters(),
            ended=ended,
            bars=[(start, *ended.spans.get(start, (0, 0))) for start in starts],
        )


def _starts(now: datetime) -> list[datetime]:
    """Return when the spans of the last hour began, at the fives of the clock."""
    minute = now.replace(second=0, microsecond=0)
    last = minute - timedelta(minutes=minute.minute % (SPAN.seconds // 60))
    return [last - SPAN * back for back in range(HOUR // SPAN - 1, -1, -1)]


def _queues() -> list[QueueFacts]:
    depths = queue_depths()
    now = timezone.now()
    facts = []
    for queue in Queue.objects.exclude(name="system"):
        depth = depths[queue.name]
        waits = depth.oldest_seconds
        facts.append(
            QueueFacts(
                name=queue.name,
                title=queue.title,
                depth=depth,
                oldest_at=None if waits is None else now - timedelta(seconds=waits),
                is_paused=queue.paused_at is not None,
            )
        )
    return facts
