"""Pausing queues and task types, and draining nodes: what is running goes on, nothing new starts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import User
from tasks import audit, errors, sql
from tasks.lifecycle.fill import fill_lanes, fill_locked, locked_lanes
from tasks.lifecycle.per_lane import work_by_lane
from tasks.live import channels
from tasks.models import Cluster, Node, PausedType, Queue
from tasks.models.node import NodeStatus
from tasks.owned import find_queue
from tasks.registry import known_type
from tasks.sql.index_order import in_index_order

MOST_LANES = 500
# How many lanes a request that reopens a queue fills itself, and how many in one transaction.
LANES_AT_ONCE = 300
LANES_A_FILL = 100


class LaneToFill(NamedTuple):
    id: int


class LaneToHold(NamedTuple):
    id: int


def pause_queue(name: str, *, by: User | None, reason: str = "") -> None:
    """Pause a queue; its ready tasks go back to their lanes, their slots to other queues. Repeating it changes nothing.

    Args:
        by: who asks; None at the command line, as for `resume_queue`.

    Raises:
        NotFound: no such queue.
    """
    with transaction.atomic():
        queue = find_queue(name, lock=True)
        if queue.paused_at is None:
            Queue.objects.filter(pk=name).update(paused_at=Now(), paused_reason=reason)
            audit.record(by, "pause", "queue", name, reason=reason)
    hold_paused()


def resume_queue(name: str, *, by: User | None) -> None:
    """Open a paused queue again and fill the first lanes that wait for it; the sweep goes on with the others.

    Raises:
        NotFound: no such queue.
    """
    with transaction.atomic():
        queue = find_queue(name, lock=True)
        if queue.paused_at is None:
            return
        Queue.objects.filter(pk=name).update(paused_at=None, paused_reason="")
        audit.record(by, "resume", "queue", name)
    _fill_first([name])
    _wake(queue.cluster_id)


def pause_type(name: str, *, by: User, reason: str = "") -> None:
    """Pause a task type in all queues, as `pause_queue` pauses a queue. Repeating it changes nothing.

    Raises:
        NotFound: no such type.
    """
    _check_type(name)
    with transaction.atomic():
        _paused, is_new = PausedType.objects.get_or_create(pk=name, defaults={"reason": reason})
        if is_new:
            audit.record(by, "pause", "task_type", name, reason=reason)
    hold_paused()


def resume_type(name: str, *, by: User) -> None:
    """Open a paused task type again, also one that is not installed any more; else as `resume_queue`.

    Raises:
        NotFound: no such type.
    """
    with transaction.atomic():
        paused = PausedType.objects.select_for_update().filter(pk=name.replace("\0", "")).first()
        if paused is None:
            _check_type(name)
            return
        paused.delete()
        audit.record(by, "resume", "task_type", name)
    _fill_first(open_queues())
    for cluster in Cluster.objects.values_list("pk", flat=True):
        _wake(cluster)


def open_queues() -> list[str]:
    """Return the names of the queues that are not paused."""
    return list(Queue.objects.filter(paused_at=None).values_list("name", flat=True))


def hold_paused() -> int:
    """Hold ready tasks of paused queues and types again; return how many. The sweep does what one call leaves."""

    def find(passed_over: Collection[int]) -> list[tuple[None, int]]:
        asked = {"passed_over": list(passed_over), "limit": MOST_LANES}
        with in_index_order():
            return [(None, row.id) for row in sql.run("lifecycle/lanes_to_hold", asked, row=LaneToHold)]

    def act(rows: Sequence[tuple[None, int]]) -> int:
        with locked_lanes(lane for _, lane in rows) as ids:
            held = sql.count("lifecycle/hold", {"lanes": ids})
            fill_locked(ids)
        return held

    return work_by_lane(find, act, limit=MOST_LANES)


def lanes_to_fill(queues: list[str], *, limit: int) -> list[int]:
    """Return lanes with a free slot and a held task in one of these queues."""
    return [row.id for row in sql.run("lifecycle/lanes_to_fill", {"queues": queues, "limit": limit}, row=LaneToFill)]


def _check_type(name: str) -> None:
    if known_type(name) is None:
        raise errors.NotFound(f"There is no task type {name[:100]}.")


def _fill_first(queues: list[str]) -> None:
    # Tasks of what was paused may stand before those that fill has moved meanwhile.
    sql.execute("lifecycle/mend_low_key", {})
    lanes = lanes_to_fill(queues, limit=LANES_AT_ONCE)
    for start in range(0, len(lanes), LANES_A_FILL):
        fill_lanes(lanes[start : start + LANES_A_FILL])


def drain_node(node: UUID, *, by: User) -> None:
    """Let a node finish what it runs and take nothing new.

    Raises:
        NotFound: no such node, or it is not running.
    """
    _set_node(node, NodeStatus.ALIVE, NodeStatus.DRAINING, by, "drain")


def resume_node(node: UUID, *, by: User) -> None:
    """Let a draining node take work again.

    Raises:
        NotFound: no such node, or it is not running.
    """
    _set_node(node, NodeStatus.DRAINING, NodeStatus.ALIVE, by, "resume")


def _set_node(node: UUID, before: NodeStatus, after: NodeStatus, by: User, action: str) -> None:
    with transaction.atomic():
        row = Node.objects.select_for_update().filter(pk=node, status__in=(before, after)).first()
        if row is None:
            raise errors.NotFound("There is no such running node.")
        if row.status == before:
            Node.objects.filter(pk=node).update(status=after)
            audit.record(by, action, "node", node, name=row.name)
    _wake(row.cluster_id)


def _wake(cluster: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channels.READY, cluster])
