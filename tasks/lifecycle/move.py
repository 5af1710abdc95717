"""Moving tasks that have not started: to another queue, also of another cluster, or to another priority.

Both run under lane locks, so they commit asynchronously, audit entry and all: a crash of the database within a fraction
of a second leaves a task where it was, as if nobody had asked. They are for operators; no quota is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.models import User
from tasks import audit, errors, sql
from tasks.lifecycle.after_commit import left_to_the_sweep
from tasks.lifecycle.depend import release_dependents
from tasks.lifecycle.fill import MOST_TOLD, fill_locked, settle, swap
from tasks.lifecycle.read import get_task
from tasks.models import Dependency, Lane, Queue, Task
from tasks.owned import find_queue, get_owned
from tasks.statuses import NOT_STARTED, TERMINAL, Status

HIGHEST = 10


class MovedTask(NamedTuple):
    """`waits`: it still waits for others, in another lane than before."""

    id: UUID
    waits: bool


class Reprioritized(NamedTuple):
    id: UUID


@dataclass(frozen=True)
class Moved:
    """Which tasks moved; `settlements` are those of tasks that failed on the way, to be settled after the commit."""

    tasks: list[UUID]
    settlements: list[tuple[UUID, int]] = field(default_factory=list)


def move_task(task_id: UUID, queue: str, *, by: User) -> Task:
    """Move a task that has not started to another queue and return it. Opens its own transactions.

    Raises:
        NotFound: no such task or queue.
        WrongStatus: it has started, ended, or is being cancelled.
    """
    goal = find_queue(queue)
    open_lanes([task_id], goal)
    with transaction.atomic(durable=True):
        moved = move_locked([task_id], goal)
        if moved.tasks:
            audit.record(by, "move", "task", task_id, queue=queue)
    if moved.settlements:
        with left_to_the_sweep("settling what a move has ended"):
            settle(moved.settlements, dependents=True)
    if not moved.tasks and (task := get_owned(Task, task_id, owner=None)).queue_id != queue:
        raise _unmovable(task)
    return get_task(task_id)


def set_priority(task_id: UUID, priority: int, *, by: User) -> Task:
    """Set the priority of a task that has not started and return it. Opens its own transaction.

    What was asked for stays noted beside it.

    Raises:
        NotFound: no such task.
        InvalidInput: it is not from 1 to 10.
        WrongStatus: it has started, ended, or is being cancelled.
    """
    check_priority(priority)
    before = get_owned(Task, task_id, owner=None).priority
    with transaction.atomic(durable=True):
        changed = set_priority_locked([task_id], priority)
        if changed:
            audit.record(by, "set_priority", "task", task_id, before=before, priority=priority)
    if not changed and (task := get_owned(Task, task_id, owner=None)).priority != priority:
        raise _unmovable(task)
    return get_task(task_id)


def check_priority(priority: int) -> None:
    """Refuse what is no priority.

    Raises:
        InvalidInput: it is not from 1 to 10.
    """
    if not 1 <= priority <= HIGHEST:
        raise errors.InvalidInput(f"A priority is from 1 to {HIGHEST}.")


def open_lanes(tasks: Sequence[UUID], goal: Queue) -> None:
    """Make the lanes that tasks will move to, where there are none. To be called before the transaction that moves."""
    others = Task.objects.filter(pk__in=tasks).exclude(cluster=goal.cluster_id)
    if lanes := list(others.order_by().values_list("lane_id", flat=True).distinct()):
        sql.execute("lifecycle/open_lanes", {"lanes": lanes, "cluster": goal.cluster_id})


def move_locked(tasks: Sequence[UUID], goal: Queue) -> Moved:
    """Move those of the tasks that have not started, and fill the lanes they left and came to.

    Needs a transaction that holds no lane, after `open_lanes`. A task that has started meanwhile, or that somebody
    else has moved, is passed over.
    """
    lanes = _lock_lanes(tasks, cluster=goal.cluster_id)
    # Whoever ends a task looks up the lanes of those that wait for it: it must see either the old lane, whose lock it
    # then waits for, or the new one. So what waiting tasks wait for ends before this transaction, or after it.
    waiting = list(Task.objects.filter(pk__in=tasks, status=Status.WAITING).values_list("pk", flat=True))
    needed = Dependency.objects.filter(task__in=waiting).values_list("needs", flat=True)
    sql.execute("lifecycle/lock_tasks", {"tasks": sorted({*tasks, *needed})})
    asked = {"tasks": list(tasks), "waiting": waiting, "lanes": lanes, "queue": goal.name}
    rows = sql.run("lifecycle/move", asked, row=MovedTask)
    ended = _ended_needs([row.id for row in rows if row.waits])
    released = release_dependents(ended, lanes)
    fill_locked(lanes)
    moved = [row.id for row in rows]
    sql.execute("lifecycle/tell", {"tasks": moved[:MOST_TOLD]})
    return Moved(moved, released.settlements)


def set_priority_locked(tasks: Sequence[UUID], priority: int) -> list[UUID]:
    """Set the priority of those of the tasks that have not started, and return them.

    Needs a transaction that holds no lane.

    Whoever became more urgent than a ready task of the same lane, which nobody has claimed, takes its slot.
    """
    lanes = _lock_lanes(tasks)
    sql.execute("lifecycle/lock_tasks", {"tasks": list(tasks)})
    asked = {"tasks": list(tasks), "lanes": lanes, "priority": priority}
    changed = [row.id for row in sql.run("lifecycle/set_priority", asked, row=Reprioritized)]
    moved = fill_locked(lanes)
    while changed and moved < len(changed) and swap(lanes):
        moved += fill_locked(lanes, newcomers=())
    sql.execute("lifecycle/tell", {"tasks": changed[:MOST_TOLD]})
    return changed


def _lock_lanes(tasks: Sequence[UUID], *, cluster: str | None = None) -> list[int]:
    """Lock the tasks' lanes, and their owners' in the other cluster, in id order."""
    places = Task.objects.filter(pk__in=tasks, status__in=NOT_STARTED).values_list("lane_id", "owner_id")
    lanes = {lane for lane, _ in places}
    if cluster is not None:
        owners = {owner for _, owner in places}
        lanes |= set(Lane.objects.filter(user__in=owners, cluster=cluster).values_list("pk", flat=True))
    ids = sorted(lanes)
    sql.execute("lifecycle/lock_lanes", {"lanes": ids})
    return ids


def _ended_needs(tasks: Iterable[UUID]) -> list[UUID]:
    ended = Dependency.objects.filter(task__in=tasks, needs__status__in=TERMINAL)
    return sorted(set(ended.values_list("needs", flat=True)))


def _unmovable(task: Task) -> errors.WrongStatus:
    if task.cancel_requested_at is not None and not task.done:
        return errors.WrongStatus("This task is being cancelled.", status=task.status)
    return errors.WrongStatus("Only a task that has not started can be changed like this.", status=task.status)
