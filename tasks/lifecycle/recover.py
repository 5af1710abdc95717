"""Recovery: attempts whose worker or node is gone end as such, through the same fence as any other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from uuid import UUID

from django.db import OperationalError, connection
from django.db.models import F
from django.db.models.functions import Now

from tasks.lifecycle.after_commit import left_to_the_sweep
from tasks.lifecycle.claim import Claimed, running_tasks_of
from tasks.lifecycle.ending import Ending, returned, timed_out, vanished
from tasks.lifecycle.fill import settle
from tasks.lifecycle.finish import record_ending
from tasks.lifecycle.per_lane import free_lanes
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


def recover_worker(node: UUID, blames: Mapping[UUID, Blame]) -> int:
    """End the attempts of a worker that died on a living node; return how many there were.

    What was claimed with them and had not started is found by `recover_unknown`.

    Args:
        blames: what its death means for each, by token.
    """
    mine = [claimed for claimed in running_tasks_of(node) if claimed.token in blames]
    for claimed in mine:
        logger.warning("the worker of %s died: %s", claimed.id, blames[claimed.token])
    return _end((claimed, _ending(claimed, blames[claimed.token])) for claimed in mine)


def _ending(claimed: Claimed, blame: Blame) -> Ending:
    if blame == Blame.DIED:
        return vanished(claimed, Outcome.DIED)
    if blame == Blame.TIMED_OUT:
        return timed_out(claimed)
    return returned(alone=blame == Blame.UNCLEAR or claimed.alone)


def give_back(node: UUID, tokens: Collection[UUID]) -> int:
    """Return tasks that were claimed under these tokens and have not started; return how many."""
    if not tokens:
        return 0
    mine = [claimed for claimed in running_tasks_of(node) if claimed.token in tokens]
    return _end((claimed, _unstarted(claimed)) for claimed in mine)


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
    """End the attempts of nodes that are lost or have stopped; return how many. What cannot have started goes back."""
    running = Task.objects.filter(status=Status.RUNNING, node__status__in=GONE)
    nodes = set(running.values_list("node_id", flat=True)[:limit])
    return _end(islice((attempt for node in nodes if node for attempt in _lost_attempts(node)), limit))


def _lost_attempts(node: UUID) -> Iterator[tuple[Claimed, Ending]]:
    started = _may_have_started(node)
    # First what has not: whoever looks meanwhile, and whoever goes on after a crash, must not take the next in a claim
    # for its first.
    for claimed in sorted(running_tasks_of(node), key=lambda claimed: claimed.token in started):
        is_lost = claimed.token in started
        yield claimed, vanished(claimed, Outcome.LOST) if is_lost else _unstarted(claimed)


def _may_have_started(node: UUID) -> set[UUID]:
    """Return the tokens of a gone node's attempts, less those that only stood behind another of their claim.

    A worker runs what it has claimed one after the other, in the order of their ranks, and claims again when all that
    is over; so of what does not wait, only the first can have started. What waits may run in a thread, claimed with
    the others or beside them, which nobody can tell now: it counts as started.
    """
    running = Task.objects.filter(node=node, status=Status.RUNNING).order_by("rank", "id")
    started: set[UUID] = set()
    busy_workers: set[int | None] = set()
    for token, worker, waits in running.values_list("token", "worker_pid", "waits"):
        if token is not None and (waits or worker not in busy_workers):
            started.add(token)
        if not waits:
            busy_workers.add(worker)
    return started


def _unstarted(claimed: Claimed) -> Ending:
    return returned(alone=claimed.alone, worked=False)


def _end(attempts: Iterable[tuple[Claimed, Ending]]) -> int:
    """Record how attempts ended and give their slots back; return how many. Waits for no lane and for no database.

    Raises:
        OperationalError: some are still to be recorded: somebody holds them, or the database is away.
    """
    settlements: list[tuple[UUID, int]] = []
    dependents = False
    held: OperationalError | None = None
    try:
        for claimed, ending in attempts:
            try:
                recorded = record_ending(claimed, ending, patience_seconds=0)
            except OperationalError as error:
                # Raises where the database is away; else one task is held, and the others do not wait for it.
                connection.ensure_connection()
                held = error
                continue
            if recorded is not None:
                settlements.append((claimed.token, claimed.lane_id))
                dependents |= recorded.has_dependents
    finally:
        if settlements:
            _settle_free(settlements, dependents=dependents)
    if held is not None:
        raise held
    return len(settlements)


def _settle_free(settlements: Sequence[tuple[UUID, int]], *, dependents: bool) -> None:
    """Settle in the lanes that nobody holds; the sweep does it in the others, within a second or two."""
    with left_to_the_sweep(f"settling {len(settlements)} attempts"):
        free = free_lanes(lane for _, lane in settlements)
        settle([(token, lane) for token, lane in settlements if lane in free], dependents=dependents)
