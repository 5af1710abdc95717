"""Recovery: attempts whose worker or node is gone end as such, through the same fence as any other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from tasks.lifecycle import finish
from tasks.lifecycle.claim import running_tasks_of
from tasks.models import Node, Task
from tasks.models.attempt import Outcome
from tasks.models.node import NodeStatus
from tasks.statuses import Status

logger = logging.getLogger(__name__)

GONE = (NodeStatus.LOST, NodeStatus.STOPPED)


def recover_worker(node: UUID, *, token: UUID, started: bool, timed_out: bool = False, stopping: bool = False) -> bool:
    """End the attempt of a worker that died on a living node.

    Args:
        started: whether its handler had begun; if not, the task goes back free of charge.
        timed_out, stopping: the node killed the worker for this.

    Returns:
        Whether there was such an attempt.
    """
    for claimed in running_tasks_of(node):
        if claimed.token != token:
            continue
        if timed_out:
            ending = finish.timed_out(claimed)
        elif started and not stopping:
            ending = finish.vanished(claimed, Outcome.DIED)
        else:
            ending = finish.returned()
        return finish.finish_attempt(claimed, ending)
    return False


def recover_unknown(node: UUID, known: Callable[[], set[UUID]]) -> int:
    """Return tasks that run here by the table but that no worker knows: the claim's answer was lost.

    Args:
        known: gives the tokens that workers hold or are just claiming with. Called after the table was
            read: a worker notes its token before it claims, so a stranger now is a stranger for good.
    """
    running = running_tasks_of(node)
    tokens = known() if running else set()
    lost = [claimed for claimed in running if claimed.token not in tokens]
    return sum(finish.finish_attempt(claimed, finish.returned()) for claimed in lost)


def declare_lost(node: UUID, *, beat: int) -> bool:
    """Mark a node lost whose heartbeat still is `beat`; a beat that came meanwhile saves it."""
    changed = Node.objects.filter(pk=node, beat=beat, status__in=(NodeStatus.ALIVE, NodeStatus.DRAINING)).update(
        status=NodeStatus.LOST, stopped_at=Now(), beat=F("beat") + 1
    )
    if changed:
        logger.warning("node %s is lost: its heartbeat stopped", node)
    return bool(changed)


def recover_gone_nodes(*, limit: int = 500) -> int:
    """End the attempts of nodes that are lost or have stopped; return how many."""
    count = 0
    running = Task.objects.filter(status=Status.RUNNING, node__status__in=GONE)
    for node in set(running.values_list("node_id", flat=True)[:limit]):
        for claimed in running_tasks_of(node)[: limit - count]:
            count += finish.finish_attempt(claimed, finish.vanished(claimed, Outcome.LOST))
    return count
