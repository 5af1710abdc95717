"""Retrying because a person asked: a task that failed, was cancelled or expired starts anew under its id."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.limits import limits_of
from accounts.models import User
from tasks import audit, errors, sql
from tasks.idempotency import Once, do_once
from tasks.lifecycle import admit, depend
from tasks.lifecycle.accept import check_open
from tasks.lifecycle.after_commit import read_again
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.submission import Submitted
from tasks.models import Task
from tasks.owned import get_owned
from tasks.statuses import Status


class Revived(NamedTuple):
    id: UUID
    lane: int


def retry_task(task_id: UUID, *, by: User, owner: User | None = None) -> Task:
    """Bring an ended task back into its lane, its attempts allowed anew, and return it.

    Repeating it while the task is under way changes nothing. An owner's retry counts against their
    quota like a submission; an operator's does not, and is carried out in maintenance, too.

    Raises:
        Maintenance, UserDisabled: the owner's tasks are not accepted now.
        NotFound: no such task.
        WrongStatus: it has succeeded, so submit it as a new task instead; or what it needs has failed.
        ContentPurged: there is nothing left to run.
        QuotaExceeded: the owner's plan has no room.
    """
    return retry_once(None, task_id, by=by, owner=owner).task


def retry_once(once: Once | None, task_id: UUID, *, by: User, owner: User | None = None) -> Submitted:
    """Retry a task once under a key: a repetition changes nothing, however the task has ended since.

    Raises:
        IdempotencyConflict: the key came with another request.
        As `retry_task`.
    """
    if owner is not None:
        check_open(owner)
    (task, lane), replayed = do_once(
        once,
        lambda: _revive(task_id, by=by, owner=owner),
        id_of=lambda revived: str(revived[0].pk),
        find=lambda id_: (get_owned(Task, UUID(id_), owner=owner), None),
    )
    if lane is not None:
        fill_soon([lane], newcomers=[task_id])
    return Submitted(read_again(task), replayed=replayed)


def _revive(task_id: UUID, *, by: User, owner: User | None) -> tuple[Task, int | None]:
    """Return the task and the lane that it is back in: None where it is under way, and nothing is changed."""
    with transaction.atomic():
        # The usage row first: usage → lanes → cluster.
        if owner is not None:
            found = get_owned(Task, task_id, owner=owner)
            if found.status not in {Status.SUCCEEDED} and found.done:
                admit.count_one_more(owner, limits_of(owner))
        depend.lock_with_needs(task_id)
        task = get_owned(Task, task_id, owner=owner, lock=True)
        if task.status == Status.SUCCEEDED:
            raise errors.WrongStatus(
                "This task has succeeded. To do the same again, copy it: POST …/copy.", status=task.status
            )
        if not task.done:
            # Somebody else's retry came first: then this one is not counted either.
            transaction.set_rollback(True)
            return task, None
        if broken := depend.broken_need(task_id):
            raise errors.WrongStatus(
                f"It needs the task {broken}, which has not succeeded: retry that one first.", status=task.status
            )
        row = sql.run_one("lifecycle/revive", {"tasks": [task_id]}, row=Revived)
        if row is None:
            raise errors.ContentPurged("The content of this task was purged, so it cannot be run again.")
        depend.forget_unsuccessful_children(task_id)
        audit.record(by, "retry", "task", task_id)
        task.refresh_from_db()
    return task, row.lane
