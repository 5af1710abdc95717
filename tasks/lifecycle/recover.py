"""Recovery: attempts whose worker or node is gone end as such, through the same fence as any other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from enum import StrEnum
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from tasks.lifecycle import finish
from tasks.lifecycle.claim import Claimed, running_tasks_of
from tasks.models import Node, Task
from tasks.models.attempt import Outcome
from tasks.models.node import NodeStatus
from tasks.statuses import Status

logger = logging.getLogger(__name__)

GONE = (NodeStatus.LOST, NodeStatus.STOPPED)


class Blame(StrEnum):
    """What the death of a worker means for an attempt that it was in the midst of."""

    DIED = "it brought its worker down"
    TIMED_OUT = "it did not end in time"
    UNCLEAR = "it or a neighbour brought their worker down, so it runs alone next time"
    NONE = "it goes back free of charge"


def recover_worker(node: UUID, *, token: UUID, blame: Blame) -> bool:
    """End the attempt of a worker that died on a living node.

    Returns:
        Whether there was such an attempt.
    """
    for claimed in running_tasks_of(node):
        if claimed.token == token:
            return finish.finish_attempt(claimed, _ending(claimed, blame))
    return False


def _ending(claimed: Claimed, blame: Blame) -> finish.Ending:
    if blame == Blame.DIED:
        return finish.vanished(claimed, Outcome.DIED)
    if blame == Blame.TIMED_OUT:
        return finish.timed_out(claimed)
    return finish.returned(alone=blame == Blame.UNCLEAR or claimed.alone)


def give_back(node: UUID, tokens: Collection[UUID]) -> int:
    """Return tasks that were claimed under these tokens and have not started; return how many."""
    if not tokens:
        return 0
    mine = [claimed for claimed in running_tasks_of(node) if claimed.token in tokens]
    return sum(finish.finish_attempt(claimed, finish.returned(alone=claimed.alone, worked=False)) for claimed in mine)


def recover_unknown(node: UUID, known: Callable[[], set[UUID]]) -> int:
    """Return tasks that run here by the table but that no worker knows: the claim's answer was lost.

    Args:
        known: gives the tokens that workers hold or are just claiming with. Called after the table was
            read: a worker notes its token before it claims, so a stranger now is a stranger for good.
    """
    running = running_tasks_of(node)
    tokens = known() if running else set()
    return give_back(node, {claimed.token for claimed in running} - tokens)


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
