"""The figures of the installation as families of Prometheus. docs/operating.md describes them for people."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tasks.backends.figures import HEALTHS
from tasks.figures.depths import CAP, UNFINISHED
from tasks.figures.installation import SystemFigures

NODES = ("alive", "draining", "silent", "lost")


def families_of(figures: SystemFigures) -> Iterator[Metric]:
    """Yield every family. What is not there just now is 0 and not missing, so that an alert on it can end.

    Missing are figures of queues of which nothing was counted, since others filled the cap: 0 would be untrue.
    """
    yield from _of_queues(figures)
    yield from _of_clusters(figures)
    yield from _of_servers(figures)
    yield from _of_attempts(figures)
    yield GaugeMetricFamily(
        "portal_settlements_owed", "Ended attempts whose slot is not given back yet.", figures.settlements
    )
    yield GaugeMetricFamily(
        "portal_settlement_oldest_seconds", "Age of the oldest settlement that is owed.", figures.settlement_seconds
    )
    yield GaugeMetricFamily("portal_database_bytes", "Size of the database.", figures.database_bytes)


def _of_queues(figures: SystemFigures) -> Iterator[Metric]:
    tasks = GaugeMetricFamily(
        "portal_tasks", f"Tasks that have not ended; of a status {CAP:,} at most.", labels=["queue", "status"]
    )
    oldest = GaugeMetricFamily(
        "portal_queue_oldest_seconds",
        "Time since the oldest held or ready task was submitted, or its time came.",
        labels=["queue"],
    )
    paused = GaugeMetricFamily("portal_queue_paused", "1 while the queue is paused.", labels=["queue"])
    for queue in figures.queues:
        for status in UNFINISHED:
            if (count := queue.depth.counted(status)) is not None:
                tasks.add_metric([queue.name, status], count)
        if queue.depth.oldest_seconds is not None or not queue.depth.is_partial:
            oldest.add_metric([queue.name], queue.depth.oldest_seconds or 0.0)
        paused.add_metric([queue.name], queue.is_paused)
    types = GaugeMetricFamily("portal_type_paused", "1 while the task type is paused.", labels=["type"])
    for name, is_paused in figures.types.items():
        types.add_metric([name], is_paused)
    cut = GaugeMetricFamily(
        "portal_tasks_cut",
        "1 where more have the status than are counted: a queue may lack it.",
        labels=["status"],
    )
    for status in UNFINISHED:
        cut.add_metric([status], any(status in queue.depth.cut for queue in figures.queues))
    yield from (tasks, cut, oldest, paused, types)


def _of_clusters(figures: SystemFigures) -> Iterator[Metric]:
    nodes = GaugeMetricFamily(
        "portal_nodes", "Nodes by how they are; lost ones are of the last hour.", labels=["cluster", "status"]
    )
    throttled = GaugeMetricFamily(
        "portal_nodes_throttled", "Living nodes that hold back for want of CPU or memory.", labels=["cluster"]
    )
    workers = GaugeMetricFamily("portal_workers", "Workers of living nodes.", labels=["cluster"])
    busy = GaugeMetricFamily("portal_workers_busy", "Those of them that run a task.", labels=["cluster"])
    for row in figures.clusters:
        for status in NODES:
            nodes.add_metric([row.cluster, status], getattr(row, status))
        throttled.add_metric([row.cluster], row.throttled)
        workers.add_metric([row.cluster], row.workers)
        busy.add_metric([row.cluster], row.busy)
    yield from (nodes, throttled, workers, busy)


def _of_servers(figures: SystemFigures) -> Iterator[Metric]:
    health = GaugeMetricFamily(
        "portal_backend_health", "1 for how the model server is now.", labels=["kind", "backend", "health"]
    )
    calls = GaugeMetricFamily("portal_backend_calls", "Calls that run now.", labels=["kind", "backend"])
    most = GaugeMetricFamily("portal_backend_most_calls", "Most calls at once.", labels=["kind", "backend"])
    # Names are people's, and two servers may have the same: they count as one.
    named: dict[tuple[str, str], list[int]] = {}
    shown: dict[tuple[str, str], set[str]] = {}
    for server in figures.servers:
        sums = named.setdefault((server.kind, server.name), [0, 0])
        sums[0] += server.busy
        sums[1] += server.most_calls
        shown.setdefault((server.kind, server.name), set()).add(server.health)
    for (kind, name), (busy, limit) in named.items():
        for word in HEALTHS:
            health.add_metric([kind, name, word], word in shown[kind, name])
        calls.add_metric([kind, name], busy)
        most.add_metric([kind, name], limit)
    yield from (health, calls, most)


def _of_attempts(figures: SystemFigures) -> Iterator[Metric]:
    ended = CounterMetricFamily(
        "portal_attempts", "Attempts that ended; counted two to four minutes later.", labels=["type", "outcome"]
    )
    seconds = CounterMetricFamily(
        "portal_attempt_seconds", "Worker time that they took, in seconds.", labels=["type", "outcome"]
    )
    for row in figures.attempts:
        ended.add_metric([row.type, row.outcome], row.attempts)
        seconds.add_metric([row.type, row.outcome], row.seconds)
    yield from (ended, seconds)
