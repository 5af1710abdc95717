"""The figures of the overview: a handful of queries, each bounded, whatever the tables hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse

from tasks.admin.formats import capped_text
from tasks.backends.figures import silent_kinds
from tasks.figures.bounded import bounded_queries
from tasks.figures.depths import NOT_COUNTED, Depth, at_least, queue_depths
from tasks.figures.ended import Ended, last_hour_and_day
from tasks.measures import duration_text
from tasks.models import Lane, Node, Queue, Task
from tasks.models.node import HEARTBEAT_SECONDS, NodeStatus
from tasks.statuses import Status
from tasks.storage import storage_trouble

MOST_FULL_LANES = 10
FAILED_CAP = 1_000
LONG_WAIT_SECONDS = 15 * 60


@dataclass(frozen=True)
class Period(Ended):
    """What ended in the last hour or day."""

    label: str = ""


@dataclass(frozen=True)
class Line:
    """One queue with its depth."""

    queue: Queue
    depth: Depth


@dataclass(frozen=True)
class Alarm:
    """Something that needs a person, with the page where it can be mended."""

    text: str
    url: str
    is_bad: bool = True


@dataclass(frozen=True)
class Overview:
    lines: list[Line]
    nodes: list[Any]
    periods: list[Period]
    full_lanes: list[Lane]
    failed_last_hour: int
    alarms: list[Alarm]

    @property
    def running(self) -> int:
        return sum(line.depth.running for line in self.lines)

    @property
    def waiting(self) -> int:
        return sum(line.depth.queued for line in self.lines)

    @property
    def waiting_text(self) -> str:
        return at_least(self.waiting, any(line.depth.is_partial for line in self.lines))

    @property
    def failed_text(self) -> str:
        return capped_text(self.failed_last_hour, FAILED_CAP)

    @property
    def worker_count(self) -> int:
        return sum(node.workers for node in self.nodes if node.is_fresh and node.status == NodeStatus.ALIVE)

    @property
    def fresh_nodes(self) -> int:
        return sum(node.is_fresh for node in self.nodes)


def overview() -> Overview:
    """Read everything the overview shows."""
    # Before the transaction: those who ask for it at the same time wait for each other.
    hour, day = last_hour_and_day()
    with bounded_queries():
        depths = queue_depths()
        queues = Queue.objects.select_related("cluster")
        lines = [Line(queue, depths[queue.pk]) for queue in queues]
        nodes = _nodes()
        failed = _failed_last_hour()
        return Overview(
            lines=lines,
            nodes=nodes,
            periods=[Period(**vars(hour), label="Last hour"), Period(**vars(day), label="Last day")],
            full_lanes=list(_full_lanes()),
            failed_last_hour=failed,
            alarms=[
                *_node_alarms(nodes, lines),
                *_queue_alarms(lines),
                *_backend_alarms(),
                *_failure_alarms(failed),
                *_storage_alarms(),
            ],
        )


def _nodes() -> list[Any]:
    rows = Node.objects.filter(status__in=[NodeStatus.ALIVE, NodeStatus.DRAINING]).annotate(now=Now())
    nodes = list(rows.order_by("cluster", "name")[:100])
    for node in nodes:
        node.is_fresh = node.now - node.heartbeat_at <= timedelta(seconds=HEARTBEAT_SECONDS)  # type: ignore[attr-defined]
    return nodes


def _full_lanes() -> Any:
    full = Lane.objects.filter(taken__gte=F("slots"), slots__gt=0)
    return full.select_related("user", "cluster").order_by("-taken")[:MOST_FULL_LANES]


def _failed_last_hour() -> int:
    failed = Task.objects.filter(status=Status.FAILED, finished_at__gt=Now() - timedelta(hours=1))
    return failed.order_by()[: FAILED_CAP + 1].count()


# --- Needs attention --------------------------------------------------------------------------------


def _node_alarms(nodes: list[Any], lines: list[Line]) -> list[Alarm]:
    page = reverse("admin:tasks_node_changelist")
    working = {node.cluster_id for node in nodes if node.is_fresh and node.status == NodeStatus.ALIVE}
    alarms = [
        Alarm(f"No node of the cluster {cluster} takes work. Start one: python manage.py qcluster", page)
        for cluster in sorted({line.queue.cluster_id for line in lines} - working)
    ]
    for node in nodes:
        if not node.is_fresh:
            alarms.append(
                Alarm(
                    f"{node} has been silent for {duration_text((node.now - node.heartbeat_at).total_seconds())}.", page
                )
            )
        elif node.status == NodeStatus.DRAINING:
            alarms.append(Alarm(f"{node} is draining: it takes nothing new.", page, is_bad=False))
    return alarms


def _queue_alarms(lines: list[Line]) -> list[Alarm]:
    page = reverse("admin:tasks_queue_changelist")
    alarms, unknown = [], 0
    for line in lines:
        queue, depth = line.queue, line.depth
        if queue.paused_at:
            reason = f" ({queue.paused_reason})" if queue.paused_reason else ""
            count = f"{depth.queued_text} wait in it"
            if depth.queued_text == NOT_COUNTED:
                count = "what waits in it was not counted"
            text = f"The queue {queue.name} is paused{reason}; {count}."
            alarms.append(Alarm(text, page, is_bad=False))
        elif (depth.oldest_seconds or 0) > LONG_WAIT_SECONDS:
            tasks = reverse("admin:tasks_task_changelist", query={"queue": queue.pk, "status": "queued"})
            oldest = f"{'at least ' if depth.is_partial else ''}{duration_text(depth.oldest_seconds)}"
            alarms.append(Alarm(f"The oldest task in {queue.name} has waited for {oldest}.", tasks, is_bad=False))
        elif depth.is_partial:
            unknown += 1
    if unknown:
        queues = "one queue" if unknown == 1 else f"{unknown} queues"
        text = f"More tasks wait than are counted: how long the oldest in {queues} waits is not known."
        alarms.append(Alarm(text, page, is_bad=False))
    return alarms


def _backend_alarms() -> list[Alarm]:
    page = reverse("admin:tasks_backend_changelist")
    return [Alarm(f"No model server for {kind} answers.", page) for kind in silent_kinds()]


def _failure_alarms(failed: int) -> list[Alarm]:
    if not failed:
        return []
    count = capped_text(failed, FAILED_CAP)
    text = f"{count} {'task' if failed == 1 else 'tasks'} failed in the last hour."
    return [Alarm(text, f"{reverse('admin:failures')}?period=hour")]


def _storage_alarms() -> list[Alarm]:
    trouble = storage_trouble()
    page = reverse("admin:tasks_file_changelist")
    return [Alarm(f"The folder of files {trouble}: uploads and results fail.", page)] if trouble else []
