"""One node: how it is, what each of its workers runs now, the stacks that operators asked for. What changes is live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models.functions import Now

from tasks.figures.nodes import CURRENT, load_text, standing_of
from tasks.kept import kept
from tasks.models import Node, Task, WorkerStack
from tasks.operations.stacks import PATIENCE
from tasks.statuses import Status
from tasks.ui.words import ago, duration

# A node with more at once has its page cut, and says so.
MOST_RUNNING = 200
MOST_STACKS = 5
KEPT_SECONDS = 2.0
MOST_KEPT = 100


class Running(NamedTuple):
    """A task that runs on a node, or ran when it was last heard of; it may have been deleted since."""

    task_id: UUID
    task: Task | None
    pid: int
    in_thread: bool
    seconds: float | None


class Stack(NamedTuple):
    row: WorkerStack
    is_awaited: bool


@kept(seconds=KEPT_SECONDS, most=MOST_KEPT, has_words=True)
def kept_facts(node_id: UUID) -> dict[str, Any] | None:
    """Return the same as `node_facts`, as it was at most two seconds ago: for pages that renew themselves."""
    return node_facts(node_id)


def node_facts(node_id: UUID) -> dict[str, Any] | None:
    """Return what the page of a node shows and nothing of who looks; None where there is no such node."""
    node = Node.objects.annotate(now=Now()).filter(pk=node_id).first()
    if node is None:
        return None
    now: datetime = node.now
    is_current = node.status in CURRENT
    running = running_now(node, now) if is_current else ran_last(node)
    asked = WorkerStack.objects.filter(node=node).select_related("asked_by").order_by("-id")[:MOST_STACKS]
    silent = max(0.0, (now - node.heartbeat_at).total_seconds())
    stacks = [Stack(row, row.answered_at is None and now - row.asked_at < PATIENCE) for row in asked]
    return {
        "node": node,
        "now": now,
        "standing": standing_of(node, now),
        "is_current": is_current,
        "load": load_text(node),
        "running": running,
        "is_cut": len(running) >= MOST_RUNNING,
        "stacks": stacks,
        "heartbeat": ago(silent),
        "silent_for": duration(silent),
    }


def running_now(node: Node, now: datetime) -> list[Running]:
    """Return what runs on a living node, the longest first."""
    threads = {run.get("task") for run in node.running if run.get("thread")}
    tasks = Task.objects.filter(node=node, status=Status.RUNNING).select_related("owner", "queue")
    return [
        Running(
            task_id=task.pk,
            task=task,
            pid=task.worker_pid or 0,
            in_thread=str(task.pk) in threads,
            seconds=max(0.0, (now - task.started_at).total_seconds()) if task.started_at else None,
        )
        for task in sorted(tasks[:MOST_RUNNING], key=lambda task: (task.started_at or now, task.pk))
    ]


def ran_last(node: Node) -> list[Running]:
    """Return what a node that is gone ran at its last heartbeat."""
    runs: Sequence[dict[str, Any]] = node.running[:MOST_RUNNING]
    tasks = Task.objects.select_related("owner", "queue").in_bulk([UUID(run["task"]) for run in runs])
    return [
        Running(
            task_id=UUID(run["task"]),
            task=tasks.get(UUID(run["task"])),
            pid=int(run.get("pid", 0)),
            in_thread=bool(run.get("thread")),
            seconds=run.get("since_seconds"),
        )
        for run in runs
    ]
