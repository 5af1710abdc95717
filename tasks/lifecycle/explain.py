"""Says why a task waits, and what would start before it: from the same rules that the scheduler uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from tasks.models import Node, Queue, Task
from tasks.models.node import NodeStatus
from tasks.statuses import NOT_STARTED, Status

POSITION_LIMIT = 1000
HEARTBEAT_SECONDS = 15


@dataclass(frozen=True)
class Wait:
    """`position` counts from 1 what starts before it in the lane and the shared line, up to POSITION_LIMIT."""

    position: int | None
    why: str | None


def explain_wait(task: Task) -> Wait:
    """Return why a task has not started; both None when it has."""
    if task.status not in NOT_STARTED:
        return Wait(None, None)
    if task.status == Status.WAITING:
        return Wait(None, "waiting_for_tasks")
    if task.status == Status.SCHEDULED:
        return Wait(None, "retry_backoff" if task.attempt_number else "scheduled")
    if Queue.objects.filter(pk=task.queue_id, paused_at__isnull=False).exists():
        return Wait(None, "queue_paused")
    fresh = Now() - timedelta(seconds=HEARTBEAT_SECONDS)
    if not Node.objects.filter(cluster=task.cluster, status=NodeStatus.ALIVE, heartbeat_at__gt=fresh).exists():
        return Wait(None, "no_workers")
    if task.status == Status.READY:
        ready = Task.objects.filter(cluster=task.cluster, status=Status.READY)
        ahead = ready.filter(Q(rank__lt=task.rank) | Q(rank=task.rank, id__lt=task.id))
        return Wait(_count(ahead) + 1, "waiting_for_a_worker")
    held = Task.objects.filter(lane=task.lane_id, queue=task.queue_id, status=Status.HELD)
    ahead = held.filter(Q(line_key__lt=task.line_key) | Q(line_key=task.line_key, id__lt=task.id))
    own_ready = Task.objects.filter(lane=task.lane_id, status=Status.READY, cluster=task.cluster)
    return Wait(min(POSITION_LIMIT, _count(ahead) + _count(own_ready) + 1), "waiting_for_a_slot")


def _count(tasks: QuerySet[Task]) -> int:
    return tasks.order_by()[: POSITION_LIMIT - 1].count()
