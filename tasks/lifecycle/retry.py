"""Retrying because a person asked: a task that failed, was cancelled or expired starts anew under its id."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.limits import limits_of
from accounts.models import User
from tasks import audit, errors, sql
from tasks.idempotency import Once, do_once
from tasks.lifecycle import admit, depend, fit, reuse
from tasks.lifecycle.accept import check_open
from tasks.lifecycle.after_commit import read_again
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.submission import Submission, Submitted
from tasks.lifecycle.validate import Checked, validate_submission
from tasks.models import Dependency, KeptPiece, Task, TaskContent
from tasks.owned import get_owned
from tasks.statuses import Status


class Revived(NamedTuple):
    id: UUID
    lane: int


class OtherInput(NamedTuple):
    """What a task is to do instead of what it was submitted with, and how long an attempt at that may take."""

    checked: Checked
    timeout_seconds: int


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


def retry_with_input(task_id: UUID, value: Any, *, by: User) -> Task:
    """Retry a task with another input than the one that it ended with; for operators.

    Raises:
        InvalidInput: it does not fit the type, is of a type for our own code, or refers to tasks not needed before.
        EngineUnavailable: nothing here can run the type.
        As `retry_task`.
    """
    task = get_owned(Task, task_id, owner=None)
    limits = limits_of(task.owner)
    least = min(task.timeout_seconds, limits.longest_timeout)
    submission = Submission(task.type, value, timeout=least, may_take_longer=True, max_attempts=task.max_attempts)
    checked = validate_submission(task.owner, limits, submission)
    known = set(Dependency.objects.filter(task=task).values_list("needs", flat=True))
    if unknown := next((needed for needed in checked.needs if needed not in known), None):
        raise errors.InvalidInput.at(
            "/input",
            "unknown_task",
            f"It can refer only to tasks that it needed before, and {unknown} is none of them.",
        )
    other = OtherInput(checked, fit.timeout_of(checked.definition, limits, submission, checked.work, checked.bucket))
    revived, lane = _revive(task_id, by=by, owner=None, other=other)
    if lane is None:
        raise errors.WrongStatus("It is under way already, with the input that it had.", status=revived.status)
    fill_soon([lane], newcomers=[task_id])
    return read_again(revived)


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


def _revive(task_id: UUID, *, by: User, owner: User | None, other: OtherInput | None = None) -> tuple[Task, int | None]:
    """Return the task and the lane that it is back in: None where it is under way, and nothing is changed.

    Args:
        other: what takes the place of its input.
    """
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
        if other is not None:
            _replace_input(task_id, other)
        audit.record(by, "retry" if other is None else "retry_edited", "task", task_id)
        task.refresh_from_db()
    return task, row.lane


def _replace_input(task_id: UUID, other: OtherInput) -> None:
    checked = other.checked
    TaskContent.objects.filter(pk=task_id).update(input=checked.input)
    # It is of the input that was.
    KeptPiece.objects.filter(task=task_id).delete()
    Task.objects.filter(pk=task_id).update(
        input_hash=None if checked.has_references else reuse.input_hash(checked),
        size_bucket=checked.bucket,
        est_seconds=fit.est_seconds(checked.definition, checked.work, checked.bucket),
        timeout_seconds=other.timeout_seconds,
    )
