"""One step of an operation: the next tasks behind its cursor, in one transaction with the cursor.

The operation's row is locked for the step alone (`SKIP LOCKED`: another node passes it over), so each task is covered
by exactly one step, and what a step does is committed if and only if the cursor has moved past it. What is left to do
after the commit (ending cancelled tasks, filling lanes) is owed by durable rows, and the sweep does it where a crash
came between.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import admit, audit
from tasks.lifecycle.cancel import end_unstarted, tell_node
from tasks.lifecycle.fill import MOST_TOLD, fill_soon, settle
from tasks.lifecycle.move import find_queue, move_locked, open_lanes, set_priority_locked
from tasks.lifecycle.task_filter import read_filter
from tasks.models import Dependency, Operation, Task
from tasks.models.operation import OperationKind, OperationStatus
from tasks.models.task import TaskQuerySet
from tasks.statuses import NOT_STARTED, REVIVABLE, Status

STEP = 100
# Where no index leads to the tasks, so many are walked through at a time.
WINDOW = 20_000

PURGED = "The content of this task was purged, so it cannot be run again."
BROKEN = "It needs a task that has not succeeded: retry that one first."

logger = logging.getLogger(__name__)

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


@dataclass(frozen=True)
class Page:
    """The next tasks; `end` is where the cursor goes when they are done, `is_last` whether that is the end."""

    tasks: list[UUID]
    end: UUID
    is_last: bool


@dataclass
class Step:
    """What a step has done. `covered` is how many tasks of the page it came to: all of them, unless a quota said no."""

    changed: Sequence[UUID] = ()
    reasons: Counter[str] = field(default_factory=Counter)
    covered: int | None = None
    error: str = ""
    pause: bool = False
    after_commit: Callable[[], None] | None = None


def take_step(operation_id: UUID) -> int | None:
    """Do the next step of an operation and return how many tasks it covered; None where nothing is to be done now:
    another node is at it, its pace allows none yet, or it runs no more. Opens its own transactions.

    Raises:
        TaskError: it cannot go on: the queue to move to is gone.
    """
    operation = Operation.objects.select_related("made_by", "owner__plan").filter(pk=operation_id).first()
    if operation is None or operation.status != OperationStatus.RUNNING:
        return None
    _prepare(operation)
    with transaction.atomic(durable=True):
        taken = sql.run_one("take_operation", {"operation": operation_id})
        if taken is None or taken.allowed < 1:
            return None
        operation.refresh_from_db(fields=["cursor", "status"])
        page = _next_page(operation, min(STEP, taken.allowed))
        step = _ACTS[operation.kind](operation, page.tasks) if page.tasks else Step()
        covered = _note(operation, page, step)
    if step.after_commit is not None:
        _do_after(operation, step.after_commit)
    return None if step.error else covered


def action_of(operation: Operation) -> Action:
    return Action(operation.kind, operation.to_queue, operation.to_priority)


def _prepare(operation: Operation) -> None:
    """Make the lanes that the next tasks will move to: new rows wait for other transactions, which a step must not."""
    if operation.kind == OperationKind.MOVE:
        goal = find_queue(operation.to_queue)
        open_lanes(_next_page(operation, STEP).tasks, goal)


def _next_page(operation: Operation, most: int) -> Page:
    wanted = read_filter(operation.filter)
    tasks = wanted.matching() if operation.owner is None else wanted.matching().of(operation.owner)
    if operation.kind == OperationKind.RETRY:
        # What fails only after the wish is not what was meant.
        tasks = tasks.filter(finished_at__lte=operation.created_at)
    end = operation.last_id
    if not (wanted.is_narrow or operation.owner):
        walked = Task.objects.filter(pk__gt=operation.cursor, pk__lt=end).order_by("pk")
        end = walked.values_list("pk", flat=True)[WINDOW - 1 : WINDOW].first() or end
    found = action_of(operation).fitting(tasks).filter(pk__gt=operation.cursor, pk__lte=end)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:most])
    if len(ids) == most:
        end = ids[-1]
    return Page(ids, end, is_last=end >= operation.last_id)


def _note(operation: Operation, page: Page, step: Step) -> int:
    """Write the cursor and the counts; return how many tasks were covered."""
    covered = len(page.tasks) if step.covered is None else step.covered
    is_whole = covered == len(page.tasks)
    end = page.end if is_whole else page.tasks[covered - 1] if covered else operation.cursor
    is_over = is_whole and page.is_last
    failed = step.reasons.total()
    status = OperationStatus.PAUSED if step.pause else OperationStatus.FINISHED if is_over else OperationStatus.RUNNING
    row = sql.run_one(
        "note_step",
        {
            "operation": operation.pk,
            "cursor": end,
            "changed": len(step.changed),
            "skipped": covered - len(step.changed) - failed,
            "failed": failed,
            "reasons": Jsonb(dict(step.reasons)),
            "error": step.error,
            "status": status,
        },
    )
    details = {"operation": str(operation.pk), **action_of(operation).goal}
    verb = "cancel" if operation.kind == OperationKind.PURGE else operation.kind
    audit.record_tasks(operation.made_by, verb, step.changed, **details)
    if is_over:
        counts = {name: getattr(row, name) for name in ("total", "done", "changed", "skipped", "failed")}
        audit.record(operation.made_by, "finish", "operation", operation.pk, name=str(operation), **counts)
    return covered


def _do_after(operation: Operation, after_commit: Callable[[], None]) -> None:
    try:
        after_commit()
    except DatabaseError as error:
        logger.warning("what follows a step of %s is left to the sweep: %s", operation.pk, error)
        connection.close_if_unusable_or_obsolete()


def _cancel(operation: Operation, tasks: Sequence[UUID]) -> Step:
    sql.run("lock_tasks", {"tasks": list(tasks)})
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
        sql.run("lock_usage", {"user": owner.pk})
    needed = set(Dependency.objects.filter(task__in=tasks, key=None).values_list("needs", flat=True))
    sql.run("lock_tasks", {"tasks": sorted({*tasks, *needed})})
    revived = _revive(tasks) if owner is None else _revive_at_cost(owner, tasks, step)
    sql.run("mark_needs", {"tasks": sorted(needed)})
    step.changed = [row.id for row in revived]
    started = Dependency.objects.filter(task__in=step.changed, key__isnull=False)
    started.exclude(needs__status=Status.SUCCEEDED).delete()
    left = Task.objects.filter(pk__in=tasks[: step.covered], status__in=REVIVABLE)
    step.reasons[PURGED] = left.filter(content=None).count()
    step.reasons[BROKEN] = left.exclude(content=None).count()
    step.reasons = +step.reasons
    step.after_commit = lambda: fill_soon({row.lane for row in revived}, tell=step.changed[:MOST_TOLD])
    return step


def _revive(tasks: Sequence[UUID]) -> list[Any]:
    revived: list[Any] = []
    # A task that needs another of them can come back once that one has.
    while rows := sql.run("revive_many", {"tasks": list(tasks)}):
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
                rows = sql.run("revive_many", {"tasks": [task]})
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
