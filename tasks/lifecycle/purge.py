"""Purging because a person asked: what a task was given, said and made is deleted; a tombstone stays."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.models import User
from tasks import errors, files, sql
from tasks.lifecycle import audit
from tasks.lifecycle.find import find_task
from tasks.models import File


def purge_task(task_id: UUID, *, by: User, owner: User | None = None) -> None:
    """Delete the content of an ended task, its events and its result files. Repeating it changes nothing.

    Files go last, one by one, each one's bytes before its row: cut off in between, the rows tell what a
    repetition has still to delete. Opens its own transactions.

    Args:
        by: who asks; noted in the audit log when it is not the owner's own task.
        owner: only this user's tasks are seen; None for operators.

    Raises:
        NotFound: no such task.
        WrongStatus: it has not ended; cancel it first.
    """
    with transaction.atomic(durable=True):
        task = find_task(task_id, owner=owner, lock=True)
        if not task.done:
            raise errors.WrongStatus(
                f"The task is {task.shown_status}. Cancel it first (POST …/cancel), and delete it when it has ended."
            )
        purged = sql.run_one("purge_task", {"task": task_id}) is not None
        if purged:
            sql.run("tell", {"tasks": [task_id]})
        if purged and task.owner_id != by.pk:
            audit.record(by, "purge", "task", task_id)
    for file in File.objects.filter(task=task_id):
        files.delete_file_for_good(file)
