"""Retrying because a person asked: a task that failed, was cancelled or expired starts anew under its id."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import admit, audit, depend
from tasks.lifecycle.accept import check_open
from tasks.lifecycle.after_commit import read_again
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.find import find_task
from tasks.lifecycle.once import Once
from tasks.lifecycle.read import get_task
from tasks.models import Task
from tasks.statuses import Status


def retry_task(task_id: UUID, *, by: User, owner: User | None = None, once: Once | None = None) -> Task:
    """Bring an ended task back into its lane, its attempts allowed anew, and return it.

    Repeating it while the task is under way changes nothing. An owner's retry counts against their
    quota like a submission; an operator's does not, and is carried out in maintenance, too.

    Args:
        once: under which it is done once: a repetition changes nothing, however the task has ended since.

    Raises:
        Maintenance, UserDisabled: the owner's tasks are not accepted now.
        NotFound: no such task.
        WrongStatus: it has succeeded, so submit it as a new task instead; or what it needs has failed.
        ContentPurged: there is nothing left to run.
        QuotaExceeded: the owner's plan has no room.
    """
    if owner is not None:
        check_open(owner)
    if once is not None and once.earlier() is not None:
        return get_task(find_task(task_id, owner=owner).pk)
    lane: int | None = None
    with transaction.atomic(durable=True):
        # The usage row first: usage → lanes → cluster.
        if owner is not None:
            found = find_task(task_id, owner=owner)
            if found.status not in {Status.SUCCEEDED} and found.done:
                admit.count_one_more(owner, limits_of(owner))
        depend.read_stand_of(task_id, mark=True)
        task = find_task(task_id, owner=owner, lock=True)
        if task.status == Status.SUCCEEDED:
            raise errors.WrongStatus(
                "This task has succeeded. To do the same again, copy it: POST …/copy.", status=task.status
            )
        if not task.done or (once is not None and not once.take(str(task_id))):
            # Somebody else's retry came first: then this one is not counted either.
            transaction.set_rollback(True)
        else:
            if broken := depend.broken_need(task_id):
                raise errors.WrongStatus(
                    f"It needs the task {broken}, which has not succeeded: retry that one first.", status=task.status
                )
            row = sql.run_one("revive", {"tasks": [task_id]})
            if row is None:
                raise errors.ContentPurged("The content of this task was purged, so it cannot be run again.")
            depend.forget_unsuccessful_children(task_id)
            audit.record(by, "retry", "task", task_id)
            lane = row.lane
            task.refresh_from_db()
    if lane is not None:
        fill_soon([lane], newcomers=[task_id])
    return read_again(task)
