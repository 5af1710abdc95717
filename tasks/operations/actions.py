"""What an operation does to a page of its tasks, as a set; each kind in the transaction of its step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import admit
from tasks.lifecycle.cancel import end_unstarted, tell_node
from tasks.lifecycle.fill import fill_soon, settle
from tasks.lifecycle.move import find_queue, move_locked, set_priority_locked
from tasks.models import Dependency, Operation, Task
from tasks.models.operation import OperationKind
from tasks.models.task import TaskQuerySet
from tasks.statuses import NOT_STARTED, REVIVABLE, Status

PURGED = "The content of this task was purged, so it cannot be run again."
BROKEN = "It needs a task that has not succeeded: retry that one first."

# Statuses in which a kind can do something; whatever else a filter finds is left alone.
STATUSES: Mapping[str, frozenset[Status]] = {
    OperationKind.RETRY: frozenset(REVIVABLE),
    OperationKind.CANCEL: NOT_STARTED | {Status.RUNNING},
    OperationKind.PURGE: NOT_STARTED,
    OperationKind.MOVE: NOT_STARTED,
    OperationKind.SET_PRIORITY: NOT_STARTED,
}


@dataclass(frozen=True)
class Action:
    """What is done to each task; `to_queue` is for moving, `to_priority` for setting the priority."""

    kind: str
    to_queue: str = ""
    to_priority: int | None = None

    @property
    def words(self) -> str:
        """Return it as it stands in a sentence."""
        return self.kind.replace("set_priority", "change")

    @property
    def goal(self) -> dict[str, Any]:
        """Return what tells two actions of a kind apart, for the audit log."""
        if self.kind == OperationKind.MOVE:
            return {"queue": self.to_queue}
        return {"priority": self.to_priority} if self.kind == OperationKind.SET_PRIORITY else {}

    def fitting(self, tasks: TaskQuerySet) -> TaskQuerySet:
        """Return those of the tasks that it would change now."""
        found = tasks.filter(status__in=STATUSES[self.kind])
        if self.kind != OperationKind.RETRY:
            found = found.filter(cancel_requested_at=None)
        if self.kind == OperationKind.MOVE:
            return found.exclude(queue=self.to_queue)
        if self.to_priority is not None:
            return found.exclude(priority=self.to_priority)
        return found


@dataclass
class Step:
    """What a step has done. `covered` is how many tasks of the page it came to: all of them, unless a quota said no."""

    changed: Sequence[UUID] = ()
    reasons: Counter[str] = field(default_factory=Counter)
    covered: int | None = None
    error: str = ""
    pause: bool = False
    after_commit: Callable[[], None] | None = None


def act_on_tasks(operation: Operation, tasks: Sequence[UUID]) -> Step:
    """Do what the operation's kind says to these tasks. Needs the transaction of the step, which holds no lane.

    Raises:
        NotFound: the queue to move to is gone.
    """
    return _ACTS[operation.kind](operation, tasks)


def _cancel(operation: Operation, tasks: Sequence[UUID]) -> Step:
    sql.run("lifecycle/lock_tasks", {"tasks": list(tasks)})
    fitting = Task.objects.filter(pk__in=tasks, status__in=STATUSES[operation.kind], cancel_requested_at=None)
    rows = list(fitting.order_by().values_list("pk", "lane_id", "status"))
    ids = [task for task, _, _ in rows]
    Task.objects.filter(pk__in=ids).update(
        cancel_requested_at=Now(), cancelled_by=operation.made_by_id, version=F("version") + 1
    )

    def follow() -> None:
        if waiting := [(task, lane) for task, lane, status in rows if status in NOT_STARTED]:
            end_unstarted(waiting)
        for task, _, status in rows:
            if status == Status.RUNNING:
                tell_node(task)

    return Step(ids, after_commit=follow)


def _retry(operation: Operation, tasks: Sequence[UUID]) -> Step:
    step = Step()
    owner = operation.owner
    if owner is not None:
        # The usage row first: usage → tasks.
        sql.run("lifecycle/lock_usage", {"user": owner.pk})
    needed = set(Dependency.objects.filter(task__in=tasks, key=None).values_list("needs", flat=True))
    sql.run("lifecycle/lock_tasks", {"tasks": sorted({*tasks, *needed})})
    revived = _revive(tasks) if owner is None else _revive_at_cost(owner, tasks, step)
    sql.run("lifecycle/mark_needs", {"tasks": sorted(needed)})
    step.changed = [row.id for row in revived]
    started = Dependency.objects.filter(task__in=step.changed, key__isnull=False)
    started.exclude(needs__status=Status.SUCCEEDED).delete()
    left = Task.objects.filter(pk__in=tasks[: step.covered], status__in=REVIVABLE)
    step.reasons[PURGED] = left.filter(content=None).count()
    step.reasons[BROKEN] = left.exclude(content=None).count()
    step.reasons = +step.reasons
    step.after_commit = lambda: fill_soon({row.lane for row in revived}, newcomers=step.changed)
    return step


def _revive(tasks: Sequence[UUID]) -> list[Any]:
    revived: list[Any] = []
    # A task that needs another of them can come back once that one has.
    while rows := sql.run("lifecycle/revive", {"tasks": list(tasks)}):
        revived += rows
    return revived


def _revive_at_cost(owner: User, tasks: Sequence[UUID], step: Step) -> list[Any]:
    """Revive one after the other, counted like submissions; the first that does not fit the quota ends the step."""
    limits = limits_of(owner)
    revived: list[Any] = []
    for number, task in enumerate(tasks):
        try:
            with transaction.atomic():
                admit.count_one_more(owner, limits)
                rows = sql.run("lifecycle/revive", {"tasks": [task]})
                if not rows:
                    transaction.set_rollback(True)
        except errors.QuotaExceeded as error:
            step.covered, step.error = number, error.message
            # A rate, or room among what waits, comes by itself; tomorrow is for a person to decide.
            step.pause = error.policy not in {"burst", "waiting"}
            break
        revived += rows
    return revived


def _move(operation: Operation, tasks: Sequence[UUID]) -> Step:
    goal = find_queue(operation.to_queue)
    # A page read anew can have a task whose owner was given no lane there: up to it, and the next step makes the lane.
    homeless = Task.objects.filter(pk__in=tasks).exclude(owner__lanes__cluster=goal.cluster_id)
    without = set(homeless.values_list("pk", flat=True))
    covered = next((number for number, task in enumerate(tasks) if task in without), len(tasks))
    moved = move_locked(tasks[:covered], goal)
    owed = moved.settlements
    return Step(moved.tasks, covered=covered, after_commit=(lambda: settle(owed, dependents=True)) if owed else None)


def _set_priority(operation: Operation, tasks: Sequence[UUID]) -> Step:
    assert operation.to_priority is not None, "a constraint of the table"
    return Step(set_priority_locked(tasks, operation.to_priority))


_ACTS: Mapping[str, Callable[[Operation, Sequence[UUID]], Step]] = {
    OperationKind.RETRY: _retry,
    OperationKind.CANCEL: _cancel,
    OperationKind.PURGE: _cancel,
    OperationKind.MOVE: _move,
    OperationKind.SET_PRIORITY: _set_priority,
}
