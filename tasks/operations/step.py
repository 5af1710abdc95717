"""One step of an operation: the next tasks behind its cursor, in one transaction with the cursor.

The operation's row is locked for the step alone (`SKIP LOCKED`: another node passes it over), so each task is covered
by exactly one step, and what a step does is committed if and only if the cursor has moved past it. What is left to do
after the commit (ending cancelled tasks, filling lanes) is owed by durable rows, and the sweep makes up
for it after a crash in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from psycopg.types.json import Jsonb

from tasks import audit, sql
from tasks.lifecycle.after_commit import left_to_the_sweep
from tasks.models import Operation, Task
from tasks.models.operation import OperationStatus
from tasks.operations.action import Choice
from tasks.operations.bulk_action import BulkAction, Step, find_bulk_action
from tasks.operations.task_filter import read_filter

STEP = 100
# Where no index leads to the tasks, so many are walked through at a time.
WINDOW = 20_000


class Taken(NamedTuple):
    """An operation whose row the transaction has locked; `allowed` is how many tasks its pace lets through now."""

    id: UUID
    allowed: int


class Counts(NamedTuple):
    """How far an operation has come, in tasks."""

    total: int
    done: int
    changed: int
    skipped: int
    failed: int


@dataclass(frozen=True)
class Page:
    """The next tasks; `end` is where the cursor goes when they are done, `is_last` whether that is the end."""

    tasks: list[UUID]
    end: UUID
    is_last: bool


def take_step(operation_id: UUID) -> int | None:
    """Do the next step of an operation and return how many tasks it covered; None where nothing is to be done now:
    another node is at it, its pace allows none yet, or it runs no more. Opens its own transactions.

    Raises:
        TaskError: it cannot go on: the queue to move to is gone, or nobody knows its action any more.
    """
    operation = Operation.objects.select_related("made_by", "owner__plan").filter(pk=operation_id).first()
    if operation is None or operation.status != OperationStatus.RUNNING:
        return None
    action = find_bulk_action(operation.kind)
    if action.prepare is not None:
        action.prepare(_next_page(operation, action, STEP).tasks, choice_of(operation))
    with transaction.atomic(durable=True):
        taken = sql.run_one("operations/take_operation", {"operation": operation_id}, row=Taken)
        if taken is None or taken.allowed < 1:
            return None
        operation.refresh_from_db(fields=["cursor", "status"])
        page = _next_page(operation, action, min(STEP, taken.allowed))
        step = action.act_on_page(operation, page.tasks) if page.tasks else Step()
        covered = _note(operation, action, page, step)
    if step.after_commit is not None:
        with left_to_the_sweep(f"what follows a step of {operation.pk}"):
            step.after_commit()
    return None if step.error else covered


def choice_of(operation: Operation) -> Choice:
    return Choice(operation.kind, operation.to_queue, operation.to_priority)


def _next_page(operation: Operation, action: BulkAction, most: int) -> Page:
    wanted = read_filter(operation.filter)
    tasks = wanted.matching() if operation.owner is None else wanted.matching().of(operation.owner)
    if action.is_for_ended:
        # What ends only after the wish is not what was meant.
        tasks = tasks.filter(finished_at__lte=operation.created_at)
    end = operation.last_id
    if not (wanted.is_narrow or operation.owner):
        walked = Task.objects.filter(pk__gt=operation.cursor, pk__lt=end).order_by("pk")
        end = walked.values_list("pk", flat=True)[WINDOW - 1 : WINDOW].first() or end
    found = action.fitting(tasks, choice_of(operation)).filter(pk__gt=operation.cursor, pk__lte=end)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:most])
    if len(ids) == most:
        end = ids[-1]
    return Page(ids, end, is_last=end >= operation.last_id)


def _note(operation: Operation, action: BulkAction, page: Page, step: Step) -> int:
    """Write the cursor and the counts; return how many tasks were covered."""
    covered = len(page.tasks) if step.covered is None else step.covered
    is_whole = covered == len(page.tasks)
    end = page.end if is_whole else page.tasks[covered - 1] if covered else operation.cursor
    is_over = is_whole and page.is_last
    failed = step.reasons.total()
    status = OperationStatus.PAUSED if step.pause else OperationStatus.FINISHED if is_over else OperationStatus.RUNNING
    [counts] = sql.run(
        "operations/note_step",
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
        row=Counts,
    )
    details = {"operation": str(operation.pk), **choice_of(operation).goal}
    audit.record_tasks(operation.made_by, action.entry or action.name, step.changed, **details)
    if is_over:
        audit.record(operation.made_by, "finish", "operation", operation.pk, name=str(operation), **counts._asdict())
    return covered
