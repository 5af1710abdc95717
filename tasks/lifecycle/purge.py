"""Purging, because a person asked or the time of keeping is over.

What a task was given, said and made is deleted; a tombstone stays.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from tasks import audit, errors, files, sql
from tasks.models import File, Node, Task, WorkerStack
from tasks.models.node import NodeStatus
from tasks.owned import get_owned
from tasks.periodic import duty, in_rounds
from tasks.statuses import TERMINAL, Status

LIMIT = 500
KEEP_NODES = timedelta(days=30)
KEEP_STACKS = timedelta(days=1)


def purge_task(task_id: UUID, *, by: User | None, owner: User | None = None) -> None:
    """Delete the content of an ended task, its events and its result files. Repeating it changes nothing.

    Files go last, one by one, each one's bytes before its row: cut off in between, the rows tell what a
    repetition has still to delete. Opens its own transactions.

    Args:
        by: who asks; noted in the audit log when it is not the owner's own task; None at the command line.
        owner: only this user's tasks are seen; None for operators.

    Raises:
        NotFound: no such task.
        WrongStatus: it has not ended; cancel it first.
    """
    with transaction.atomic(durable=True):
        task = get_owned(Task, task_id, owner=owner, lock=True)
        if not task.done:
            raise errors.WrongStatus(
                f"The task is {task.shown_status}. Cancel it first (POST …/cancel), and delete it when it has ended."
            )
        purged = sql.count("lifecycle/purge_task", {"task": task_id}) > 0
        if purged:
            sql.execute("lifecycle/tell", {"tasks": [task_id]})
        if purged and (by is None or task.owner_id != by.pk):
            audit.record(by, "purge", "task", task_id)
    for file in File.objects.filter(task=task_id):
        files.delete_file_for_good(file)


@duty(every=60)
def purge_content() -> int:
    """Delete the content of tasks whose time of keeping is over; the task stays as a tombstone."""
    return in_rounds(lambda: sql.count("lifecycle/purge_content", {"limit": LIMIT}), limit=LIMIT)


@duty(every=600)
def forget_history() -> int:
    """Delete result files whose task's content is gone, the rows of nodes that ended long ago, old stacks."""
    count = _delete_files(File.objects.filter(is_leftover=True))
    gone = Node.objects.filter(
        ~Exists(Task.objects.filter(node=OuterRef("pk"), status=Status.RUNNING)),
        status__in=(NodeStatus.STOPPED, NodeStatus.LOST),
        stopped_at__lt=Now() - KEEP_NODES,
    )
    # The attempts that it ran go on naming it, for which Django's `delete` would read whole tables, and refuse.
    count += gone._raw_delete(gone.db)
    return count + WorkerStack.objects.filter(asked_at__lt=Now() - KEEP_STACKS).delete()[0]


@duty(every=86_400)
def find_leftover_files() -> int:
    """Delete result files whose task's content is gone and of which nobody has taken a note: nodes of before took none.

    It looks at every file that a task has made.
    """
    unnoted = File.objects.filter(task__status__in=TERMINAL, task__content=None)
    return in_rounds(lambda: _delete_files(unnoted), limit=LIMIT)


def _delete_files(leftover: QuerySet[File]) -> int:
    count = 0
    for file in leftover.select_related("task").order_by("pk")[:LIMIT]:
        files.delete_file_for_good(file)
        count += 1
    return count
