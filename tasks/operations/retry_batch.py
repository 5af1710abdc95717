"""Retrying what failed of a batch: an operation, so that a thousand of them take no request, and no quota in vain."""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from tasks.models import Batch, Operation
from tasks.operations.action import Choice
from tasks.operations.manage import run_for, start_operation
from tasks.operations.task_filter import TaskFilter
from tasks.owned import get_owned

# What a person waits for; the duty does the rest.
SECONDS = 0.5
FAILED = ("failed", "expired")


def retry_batch(batch_id: UUID, *, by: User, owner: User | None = None) -> Operation:
    """Put what failed, or never started in time, back in line; return the operation that goes on with it.

    An owner's retries are counted like submissions: where a limit of the plan is reached, the operation waits for room.
    Opens its own transactions.

    Raises:
        NotFound: no such batch.
        WrongStatus: nothing of it has failed.
    """
    batch = get_owned(Batch, batch_id, owner=owner)
    wanted = TaskFilter(batch=batch.pk, statuses=FAILED)
    operation = start_operation(Choice("retry"), wanted, by=by, owner=owner)
    run_for(operation.pk, SECONDS)
    return operation
