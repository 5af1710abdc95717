"""Finishing: the one way an attempt ends, whatever the outcome. Exactly once, by its token.

Transaction 1 (`finish.sql`) is durable and touches no lane. Transaction 2 (`settle`) gives slots back; if it is
lost, the settlements that 1 left behind are found by the sweep. Both serve one attempt as well as several.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg.types.json import Jsonb

from tasks import errors, sql
from tasks.lifecycle import children
from tasks.lifecycle.after_commit import left_to_the_sweep
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.ending import Ending, cancelled, clean, describe
from tasks.lifecycle.fill import settle
from tasks.lifecycle.per_lane import free_lanes
from tasks.models import Attempt, Task
from tasks.statuses import Status

PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """An attempt that is over, how it ended, and when (`time.monotonic()`)."""

    claimed: Claimed
    ending: Ending
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Recorded:
    """What transaction 1 left for transaction 2."""

    has_dependents: bool


class Locked(NamedTuple):
    """An attempt that is still under its token, and whose task nobody else holds."""

    token: UUID


class Finished(NamedTuple):
    """A task as transaction 1 left it."""

    id: UUID
    token: UUID
    status: str
    lane_id: int
    has_dependents: bool


def finish_attempt(claimed: Claimed, ending: Ending) -> bool:
    """Record the end of an attempt and give its slot back. Opens its own transactions.

    Returns:
        False when the attempt was superseded: then nothing was written, and nothing may be.

    Raises:
        As `record_ends`.
    """
    return bool(finish_attempts([Ended(claimed, ending)]))


def finish_attempts(ended: Sequence[Ended], *, wait: bool = True) -> set[UUID]:
    """Record the ends of attempts together, and give their slots back together. Opens its own transactions.

    Args:
        wait: whether to wait for somebody who holds the task, of a single one, or its lane. If not, such a task is not
            recorded (`find_held`), and such a lane gets its slots back by the sweep.

    Returns:
        The tokens of those that were recorded.

    Raises:
        As `record_ends`.
    """
    if not (recorded := record_ends(ended, wait=wait)):
        return set()
    settlements = [(one.claimed.token, one.claimed.lane_id) for one in ended if one.claimed.token in recorded]
    started = [child for one in ended for child, _ in one.ending.started]
    whose = f"{len(ended)} attempts" if len(ended) > 1 else ended[0].claimed.id
    portions: list[list[tuple[UUID, int]]] = []
    with left_to_the_sweep(f"settling {whose}"):
        portions = [settlements] if wait else list(_portions(settlements))
    for portion in portions:
        with left_to_the_sweep(f"settling {whose}"):
            settle(portion, dependents=any(recorded.values()), started=started, wait=wait)
    return set(recorded)


def _portions(settlements: Sequence[tuple[UUID, int]]) -> Iterator[list[tuple[UUID, int]]]:
    """Yield together what is owed to lanes that nobody holds, and what is owed to each of the others by itself.

    Whoever locks several lanes and waits for one keeps the users of the others waiting.
    """
    lanes = {lane for _, lane in settlements}
    free = free_lanes(lanes) if len(lanes) > 1 else set()
    if free:
        yield [(token, lane) for token, lane in settlements if lane in free]
    for held in sorted(lanes - free):
        yield [(token, lane) for token, lane in settlements if lane == held]


def find_held(ended: Sequence[Ended]) -> list[Ended]:
    """Return those that are still to be recorded: under their tokens, yet held by somebody when they were asked for."""
    if not ended:
        return []
    running = Task.objects.filter(pk__in=[one.claimed.id for one in ended], status=Status.RUNNING)
    tokens = set(running.values_list("token", flat=True))
    return [one for one in ended if one.claimed.token in tokens]


def record_ending(claimed: Claimed, ending: Ending, *, patience_seconds: float = PATIENCE_SECONDS) -> Recorded | None:
    """Transaction 1 for a single attempt; None when it was superseded. Raises as `record_ends`."""
    recorded = record_ends([Ended(claimed, ending)], patience_seconds=patience_seconds)
    return Recorded(recorded[claimed.token]) if recorded else None


def record_ends(
    ended: Sequence[Ended], *, patience_seconds: float = PATIENCE_SECONDS, wait: bool = True
) -> dict[UUID, bool]:
    """Transaction 1, all or none; returns for each recorded token whether others may wait for its task.

    Tried again while the database is away, for as long as patience lasts, so that finished work is not thrown away.
    If an answer is lost, the tokens among the attempts tell whether it was committed.

    Args:
        ended: one that started other tasks stands alone, and is waited for.
        wait: whether to wait for whoever holds one of the tasks; if not, those are left out.

    Raises:
        Refused: there is no room for the tasks that the handler started, or what they need has failed meanwhile;
            nothing was written.
        DataError: Postgres cannot store what an attempt left behind; nothing was written.
        DatabaseError: the database stayed away; the tasks will be recovered and run again.
    """
    deadline = time.monotonic() + patience_seconds
    tokens = [one.claimed.token for one in ended]
    asked_before = False
    while True:
        try:
            if asked_before and (known := Attempt.objects.filter(token__in=tokens).values_list("token", flat=True)):
                return dict.fromkeys(known, True)
            asked_before = True
            return {row.token: row.has_dependents for row in _write(ended, wait)}
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)


def _write(ended: Sequence[Ended], wait: bool) -> list[Finished]:
    if len(ended) > 1 or not wait:
        with transaction.atomic(durable=True):
            asked = {"tasks": [one.claimed.id for one in ended], "tokens": [one.claimed.token for one in ended]}
            free = {row.token for row in sql.run("lifecycle/lock_ended", asked, row=Locked)}
            mine = [one for one in ended if one.claimed.token in free]
            return sql.run("lifecycle/finish", _parameters(mine), row=Finished) if mine else []
    if not any(one.ending.started for one in ended):
        return sql.run("lifecycle/finish", _parameters(ended), row=Finished)
    [one] = ended
    with transaction.atomic(durable=True):
        children.insert_started(one.claimed, one.ending.started)
        rows = sql.run("lifecycle/finish", _parameters(ended), row=Finished)
        if not rows or rows[0].status != Status.WAITING:
            transaction.set_rollback(True)
    if rows and rows[0].status != Status.WAITING:
        # It was cancelled meanwhile: nothing is started for it any more.
        instead = Ended(one.claimed, cancelled(one.claimed), one.at)
        return sql.run("lifecycle/finish", _parameters([instead]), row=Finished)
    return rows


def _parameters(ended: Sequence[Ended]) -> dict[str, Any]:
    now = time.monotonic()
    return {
        "tasks": [one.claimed.id for one in ended],
        "ends": Jsonb([_as_json(one, now) for one in ended]),
    }


def _as_json(ended: Ended, now: float) -> dict[str, Any]:
    claimed, ending = ended.claimed, ended.ending
    return {
        "task": str(claimed.id),
        "token": str(claimed.token),
        "status": str(ending.status),
        "outcome": str(ending.outcome),
        "charged": ending.charged,
        "alone": ending.alone,
        "worked": ending.worked,
        "late": claimed.late_seconds,
        "kept": now - ended.at,
        "delay": float(ending.delay_seconds),
        "error": ending.error,
        "cancelled": describe(claimed, *errors.CANCELLED, retryable=False),
        "traceback": clean(ending.traceback),
        "result": ending.result,
        "engine": ending.engine,
        "usage": ending.usage,
    }
