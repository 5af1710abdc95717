"""Claiming: a free worker takes the first ready task of its cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from tasks import sql
from tasks.models import Task
from tasks.statuses import Status


@dataclass(frozen=True)
class Claimed:
    """One attempt: the task, and the token that alone may record its end. `input` is None when it was purged."""

    id: UUID
    token: UUID
    owner_id: int
    type: str
    lane_id: int
    attempt_number: int
    attempts_charged: int
    max_attempts: int
    timeout_seconds: int
    input: Any


def claim_task(*, cluster: str, node: UUID, pid: int, token: UUID) -> Claimed | None:
    """Make the first ready task running under `token` and return it; None when there is none to take.

    The caller makes the token and notes it where its node can see it *before* calling: should the
    answer be lost, the node finds a running task whose token no worker knows and returns it.
    A node that is not alive (draining, lost, stopped) gets nothing.
    """
    row = sql.run_one("claim", {"cluster": cluster, "node": node, "pid": pid, "token": token})
    return row and _claimed(row)


def running_tasks_of(node: UUID) -> list[Claimed]:
    """Return the running attempts of a node, without their input."""
    rows = Task.objects.filter(node_id=node, status=Status.RUNNING).values(
        "id",
        "token",
        "owner_id",
        "type",
        "lane_id",
        "attempt_number",
        "attempts_charged",
        "max_attempts",
        "timeout_seconds",
    )
    return [Claimed(**cast(dict[str, Any], row), input=None) for row in rows]


def _claimed(row: Any) -> Claimed:
    return Claimed(
        id=row.id,
        token=row.token,
        owner_id=row.owner_id,
        type=row.type,
        lane_id=row.lane_id,
        attempt_number=row.attempt_number,
        attempts_charged=row.attempts_charged,
        max_attempts=row.max_attempts,
        timeout_seconds=row.timeout_seconds,
        # Django's connections leave jsonb to its model field, so it comes as text.
        input=row.input and json.loads(row.input),
    )
