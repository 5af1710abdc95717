"""Cancelling: a task that waits ends at once; a running one is interrupted by its node.

The wish itself is durable (a column); ending a waiting task under its lane's lock is not, and the
sweep does it again when it was lost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from accounts.models import User
from tasks import audit, errors, sql
from tasks.lifecycle.after_commit import left_to_the_sweep, read_again
from tasks.lifecycle.depend import Change
from tasks.lifecycle.fill import fill_locked, locked_lanes, settle
from tasks.lifecycle.outbox import announce_ended
from tasks.lifecycle.read import get_task
from tasks.live import channels
from tasks.models import Task
from tasks.owned import get_owned
from tasks.statuses import NOT_STARTED, TERMINAL, Status


def cancel_task(task_id: UUID, *, by: User, owner: User | None = None) -> Task:
    """Cancel a task and return it. Repeating it, or cancelling what has ended, changes nothing.

    Args:
        by: who asks; noted in the audit log when it is not the owner's own task.
        owner: only this user's tasks are seen; None for operators.

    Raises:
        NotFound: no such task.
    """
    with transaction.atomic(durable=True):
        task = get_owned(Task, task_id, owner=owner, lock=True)
        if task.status in TERMINAL or task.cancel_requested_at is not None:
            asked = False
        else:
            asked = True
            Task.objects.filter(pk=task_id).update(
                cancel_requested_at=Now(), cancelled_by=by.pk, version=F("version") + 1
            )
            audit.record(by, "cancel", "task", task_id)
            task.refresh_from_db()
    if not asked:
        # Nothing was promised, so nothing is answered without its content: an ended task would have no result.
        return get_task(task_id)
    with left_to_the_sweep("ending a cancelled task"):
        _end_soon(task)
    return read_again(task)


def _end_soon(task: Task) -> None:
    if task.status in NOT_STARTED:
        end_unstarted([(task.pk, task.lane_id)])
    # Also one that was claimed just now.
    tell_node(task.pk)


def end_unstarted(tasks: Sequence[tuple[UUID, int]]) -> int:
    """End tasks that have not started and whose cancellation was asked for, or whose time has passed.

    Args:
        tasks: (task, lane). Those that have started meanwhile are left alone.

    Returns:
        How many ended.
    """
    with locked_lanes(lane for _, lane in tasks) as lanes:
        rows = sql.run(
            "lifecycle/release",
            {
                "tasks": [task for task, _ in tasks],
                "lanes": lanes,
                "cancelled": Jsonb(_error(*errors.CANCELLED)),
                "expired": Jsonb(_error(*errors.EXPIRED)),
            },
            row=Change,
        )
        announce_ended([row.id for row in rows if row.what == "ended"])
        fill_locked(lanes, newcomers=())
    settle([(row.id, row.lane) for row in rows if row.what == "settlement"], dependents=True)
    return sum(row.what == "ended" for row in rows)


def tell_node(task_id: UUID) -> None:
    """Tell the node that runs a task to interrupt it; lost, the node sees the column within a second."""
    task = (
        Task.objects.filter(pk=task_id, status=Status.RUNNING).values("node_id", "token", "owner_id", "version").first()
    )
    if task is None:
        return
    call = {"node": str(task["node_id"]), "token": str(task["token"])}
    change = {
        "id": str(task_id), "owner": task["owner_id"], "version": task["version"], "status": "cancelling",
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, %s), pg_notify(%s, %s)",
            [channels.CANCEL, json.dumps(call), channels.TASK, json.dumps(change)],
        )


def _error(code: str, message: str) -> dict[str, object]:
    return {"code": code, "message": message, "retryable": False, "attempt": None}
