"""Operations on many tasks: made, paused, resumed, cancelled by people; carried out step by step by a duty.

An operation is a wish that is durable before anything happens, like a cancellation. Whichever node takes the duty does
a few steps of each; `tasks.operations.step` says why none is skipped or done twice.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Count, F, Max, Min, TextField
from django.db.models.functions import Cast, Collate, Now

from accounts.models import User
from tasks import audit, errors
from tasks.lifecycle.ending import clean
from tasks.models import Operation
from tasks.models.operation import OperationStatus
from tasks.models.task import TaskQuerySet
from tasks.operations.action import Choice
from tasks.operations.bulk_action import BulkAction, find_bulk_action
from tasks.operations.step import take_step
from tasks.operations.task_filter import TaskFilter
from tasks.owned import get_owned
from tasks.periodic import duty

PACE = 200
MOST_PACE = 5_000
MOST_TASKS = 1_000_000
COUNT_MS = 5_000
# A duty shares its thread with all the others.
ROUND_SECONDS = 0.5
MOST_AT_ONCE = 20
# So many steps that failed in a row, and the operation waits for a person.
MOST_TROUBLE = 10
MOST_ERROR = 300

ONE_SECOND = timedelta(seconds=1)

# Postgres has no min of UUIDs; byte by byte, their texts sort as they do.
_ID_TEXT = Collate(Cast("pk", TextField()), "C")

logger = logging.getLogger(__name__)


def start_operation(
    choice: Choice,
    wanted: TaskFilter,
    *,
    by: User,
    owner: User | None = None,
    last_id: UUID | None = None,
    pace: int = PACE,
) -> Operation:
    """Note that something is to be done to all tasks of a filter, and return the operation. Opens its own transaction.

    It is about the tasks that match now; each is looked at again when its turn comes. Every task that is changed has an
    entry in the audit log, as if it had been the only one; so have the operation's start and its end, with the counts.

    Args:
        owner: only this user's tasks, at the expense of their quota; None for operators.
        last_id: tasks after this one are left out: the newest there was when the person was asked.
        pace: tasks a second.

    Raises:
        InvalidInput: the filter is empty, matches more than a million tasks, or the choice is not complete.
        NotFound: no such action, or no such queue to move to.
        WrongStatus: there is nothing to do.
        django.db.OperationalError: counting took too long; the filter needs something that narrows it.
    """
    action = find_bulk_action(choice.kind)
    _check(action, choice, wanted, owner, pace)
    with transaction.atomic(durable=True):
        found = _span(action, choice, wanted, owner, last_id)
        operation = Operation.objects.create(
            kind=choice.kind,
            made_by=by,
            owner=owner,
            filter=wanted.as_json(),
            to_queue=choice.to_queue,
            to_priority=choice.to_priority,
            # What is behind the cursor comes next; a second's worth may be done at once.
            cursor=UUID(int=UUID(found["first"]).int - 1),
            last_id=found["last"],
            total=found["count"],
            pace=pace,
            paced_at=Now() - ONE_SECOND,
        )
        audit.record(by, "start", "operation", operation.pk, name=str(operation), filter=operation.filter,
                     **choice.goal)  # fmt: skip
    return get_owned(Operation, operation.pk, owner=owner)


def count_fitting(choice: Choice, wanted: TaskFilter, *, owner: User | None = None) -> tuple[int, UUID | None]:
    """Return how many tasks the operation would be about, and the last of them. Counts no further than its limit."""
    fitting = find_bulk_action(choice.kind).fitting(_matching(wanted, owner), choice)
    rows = fitting.order_by()[: MOST_TASKS + 1]
    found = rows.aggregate(count=Count("pk"), last=Max(_ID_TEXT))
    return found["count"], UUID(found["last"]) if found["last"] else None


def pause_operation(operation_id: UUID, *, by: User, owner: User | None = None) -> Operation:
    """Let an operation rest. Repeating it, or pausing what is over, changes nothing.

    Raises:
        NotFound: no such operation.
    """
    return _set(operation_id, {OperationStatus.RUNNING}, OperationStatus.PAUSED, "pause", by, owner)


def resume_operation(operation_id: UUID, *, by: User, owner: User | None = None) -> Operation:
    """Go on with a paused operation.

    Raises:
        NotFound: no such operation.
    """
    return _set(operation_id, {OperationStatus.PAUSED}, OperationStatus.RUNNING, "resume", by, owner)


def cancel_operation(operation_id: UUID, *, by: User, owner: User | None = None) -> Operation:
    """Stop an operation where it is; what is done stays done.

    Raises:
        NotFound: no such operation.
    """
    going = {OperationStatus.RUNNING, OperationStatus.PAUSED}
    return _set(operation_id, going, OperationStatus.CANCELLED, "cancel", by, owner)


@duty(every=1)
def run_operations(seconds: float = ROUND_SECONDS) -> int:
    """Carry out what is due of the running operations, a step of each in turn; return how many tasks it did: a duty."""
    running = Operation.objects.filter(status=OperationStatus.RUNNING).order_by("paced_at")
    waiting = list(running.values_list("pk", flat=True)[:MOST_AT_ONCE])
    deadline = time.monotonic() + seconds
    done = 0
    while waiting and time.monotonic() < deadline:
        operation = waiting.pop(0)
        count = run_step(operation)
        if count is not None:
            done += count
            waiting.append(operation)
    return done


def run_for(operation: UUID, seconds: float) -> None:
    """Carry out one operation for so long, or as far as its pace allows: its start need not wait for a node."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and run_step(operation) is not None:
        pass


def run_step(operation: UUID) -> int | None:
    """Do one step and return how many tasks it did; None where there is nothing to do for now.

    A step that fails is left for later, and the others go on; after ten in a row the operation is paused.
    """
    try:
        return take_step(operation)
    except errors.TaskError as error:
        _pause_for(operation, error.message)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("a step of the operation %s is left for later: %s", operation, error)
        connection.close_if_unusable_or_obsolete()
        _note_trouble(operation, str(error))
    except Exception as error:
        # Actions come from apps as well: a bug in one is told here, and stops no other operation.
        logger.exception("a step of the operation %s is left for later", operation)
        _note_trouble(operation, f"The action fails with {type(error).__name__}: {error}")
    return None


def _check(action: BulkAction, choice: Choice, wanted: TaskFilter, owner: User | None, pace: int) -> None:
    if wanted.is_empty:
        raise errors.InvalidInput("Choose a filter first: every task of everybody is too many at once.")
    if not 1 <= pace <= MOST_PACE:
        raise errors.InvalidInput(f"The pace is from 1 to {MOST_PACE:,} tasks a second.")
    if owner is not None and not action.for_owners:
        raise errors.InvalidInput("Only operators may do this to tasks.")
    action.check_choice(wanted, choice)


def _span(
    action: BulkAction, choice: Choice, wanted: TaskFilter, owner: User | None, last_id: UUID | None
) -> dict[str, Any]:
    """Count the tasks and find the first and last of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(COUNT_MS)])
    rows = action.fitting(_matching(wanted, owner), choice)
    if last_id is not None:
        rows = rows.filter(pk__lte=last_id)
    found = rows.order_by()[: MOST_TASKS + 1].aggregate(count=Count("pk"), first=Min(_ID_TEXT), last=Max(_ID_TEXT))
    if found["count"] > MOST_TASKS:
        raise errors.InvalidInput(f"More than {MOST_TASKS:,} tasks match. Choose a shorter time, or more filters.")
    if not found["count"]:
        raise errors.WrongStatus(action.nothing_text)
    return found


def _matching(wanted: TaskFilter, owner: User | None) -> TaskQuerySet:
    return wanted.matching() if owner is None else wanted.matching().of(owner)


def _set(
    operation_id: UUID, before: set[OperationStatus], after: OperationStatus, verb: str, by: User, owner: User | None
) -> Operation:
    with transaction.atomic(durable=True):
        operation = get_owned(Operation, operation_id, owner=owner, lock=True)
        if operation.status in before:
            finished_at = Now() if after == OperationStatus.CANCELLED else None
            Operation.objects.filter(pk=operation_id).update(
                status=after, finished_at=finished_at, trouble_count=0, error=""
            )
            audit.record(by, verb, "operation", operation_id, name=str(operation), done=operation.done)
    return get_owned(Operation, operation_id, owner=owner)


def _pause_for(operation: UUID, message: str) -> None:
    running = Operation.objects.filter(pk=operation, status=OperationStatus.RUNNING)
    running.update(status=OperationStatus.PAUSED, error=clean(message)[:MOST_ERROR])


def _note_trouble(operation: UUID, message: str) -> None:
    running = Operation.objects.filter(pk=operation, status=OperationStatus.RUNNING)
    running.update(trouble_count=F("trouble_count") + 1, error=clean(message)[:MOST_ERROR])
    running.filter(trouble_count__gte=MOST_TROUBLE).update(status=OperationStatus.PAUSED)
