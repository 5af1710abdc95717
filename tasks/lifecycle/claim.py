"""Claiming: a free worker takes the first ready task of its cluster, or several short ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast
from uuid import UUID

from tasks import sql
from tasks.functions import allowed as functions
from tasks.models import Task
from tasks.references import may_have_references
from tasks.statuses import Status

# Short tasks are claimed together: about this much work, so that nobody waits long behind them.
BUDGET_SECONDS = 0.010
MOST_TOGETHER = 32


class ClaimedRow(NamedTuple):
    """`input` is text, in which marks of references are found at once; None when it was purged."""

    id: UUID
    token: UUID
    owner_id: int
    type: str
    lane_id: int
    attempt_number: int
    attempts_charged: int
    max_attempts: int
    timeout_seconds: int
    waits: bool
    alone: bool
    input: str | None
    traceparent: str | None
    told: int


@dataclass(frozen=True)
class Claimed:
    """One attempt: the task, and the token that alone may record its end.

    `input` is None when it was purged; `has_references` says that parts of it stand for other tasks' results.
    """

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
    has_references: bool = False
    waits: bool = False
    alone: bool = False
    traceparent: str | None = None


def claim_tasks(
    *, cluster: str, node: UUID, pid: int, tokens: Sequence[UUID], threads: bool = True, main: bool = True
) -> list[Claimed]:
    """Make the first ready tasks running and return them: one, or several where short work is at the head.

    The caller makes the tokens and notes them where its node can see them *before* calling: should the
    answer be lost, the node finds running tasks whose token no worker knows and returns them.
    A node that is not alive (draining, lost, stopped) gets nothing.

    Args:
        tokens: one for each task that may be taken, at most MOST_TOGETHER; used in this order from the first on.
        threads: whether work that waits for others may be taken.
        main: whether other work may be taken.
    """
    asked = {
        "cluster": cluster,
        "node": node,
        "pid": pid,
        "tokens": list(tokens),
        "most": len(tokens),
        "budget": BUDGET_SECONDS if len(tokens) > 1 else 0.0,
        "threads": threads,
        "main": main,
        "functions": functions.are_run_here(),
    }
    return [_claimed(row) for row in sql.run("lifecycle/claim", asked, row=ClaimedRow)]


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
        "waits",
        "alone",
    )
    return [Claimed(**cast(dict[str, Any], row), input=None) for row in rows]


def _claimed(row: ClaimedRow) -> Claimed:
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
        input=None if row.input is None else json.loads(row.input),
        has_references=row.input is not None and may_have_references(row.input),
        waits=row.waits,
        alone=row.alone,
        traceparent=row.traceparent,
    )
