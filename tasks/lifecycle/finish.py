"""Finishing: the one way an attempt ends, whatever the outcome. Exactly once, by its token.

Transaction 1 (`finish.sql`) is durable and touches no lane. Transaction 2 (`settle`) gives slots back; if it is
lost, the settlements that 1 left behind are found by the sweep. Both serve one attempt as well as several.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg.types.json import Jsonb

from tasks import errors, sql
from tasks.lifecycle import children
from tasks.lifecycle.after_commit import left_to_the_sweep
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.ending import Ending, cancelled, clean
from tasks.lifecycle.fill import settle, settle_plain
from tasks.models import Attempt, Task
from tasks.statuses import Status

PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """An attempt that is over, how it ended, when (`time.monotonic()`), and how long it took, if measured."""

    claimed: Claimed
    ending: Ending
    at: float = field(default_factory=time.monotonic)
    took_seconds: float | None = None


@dataclass(frozen=True)
class Recorded:
    """What transaction 1 left for transaction 2; where nobody knows, all of it."""

    has_dependents: bool = True
    may_be_heard: bool = True


class Finished(NamedTuple):
    """A task as transaction 1 left it."""

    id: UUID
    token: UUID
    status: str
    lane_id: int
    has_dependents: bool
    may_be_heard: bool


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
    plain: list[Ended] = []
    others: list[Ended] = []
    for one in ended:
        if found := recorded.get(one.claimed.token):
            (others if found.has_dependents or one.ending.started else plain).append(one)
    what = f"settling {len(ended)} attempts" if len(ended) > 1 else f"settling {ended[0].claimed.id}"
    _settle_plain(plain, {one.claimed.id for one in plain if recorded[one.claimed.token].may_be_heard}, wait, what)
    _settle_others(others, wait, what)
    return set(recorded)


def _settle_plain(ended: Sequence[Ended], heard: Collection[UUID], wait: bool, what: str) -> None:
    portions = [[(one.claimed.token, one.claimed.lane_id) for one in ended]] if ended else []
    trips = 0
    while portions:
        portion = portions.pop()
        trips += 1
        with left_to_the_sweep(what):
            left = settle_plain(portion, heard=list(heard), wait=wait)
            # Another worker lets go within a millisecond. Then one by one: who locks several lanes and waits for one
            # keeps the users of the others waiting.
            portions += [left] if left and trips == 1 else _by_lane(left)


def _settle_others(ended: Sequence[Ended], wait: bool, what: str) -> None:
    started = [child for one in ended for child, _ in one.ending.started]
    settlements = [(one.claimed.token, one.claimed.lane_id) for one in ended]
    for portion in [settlements] if wait else _by_lane(settlements):
        with left_to_the_sweep(what):
            settle(portion, dependents=True, started=started, wait=wait)


def _by_lane(settlements: Sequence[tuple[UUID, int]]) -> list[list[tuple[UUID, int]]]:
    lanes = sorted({lane for _, lane in settlements})
    return [[one for one in settlements if one[1] == lane] for lane in lanes]


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
    return recorded.get(claimed.token)


def record_ends(
    ended: Sequence[Ended], *, patience_seconds: float = PATIENCE_SECONDS, wait: bool = True
) -> dict[UUID, Recorded]:
    """Transaction 1, all or none; returns what it left, by the token of each that was recorded.

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
                return dict.fromkeys(known, Recorded())
            asked_before = True
            return {row.token: Recorded(row.has_dependents, row.may_be_heard) for row in _write(ended, wait)}
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)


def _write(ended: Sequence[Ended], wait: bool) -> list[Finished]:
    if not any(one.ending.started for one in ended):
        return _finish(ended, wait=wait)
    [one] = ended
    with transaction.atomic(durable=True):
        children.insert_started(one.claimed, one.ending.started)
        rows = _finish(ended)
        if not rows or rows[0].status != Status.WAITING:
            transaction.set_rollback(True)
    if rows and rows[0].status != Status.WAITING:
        # It was cancelled meanwhile: nothing is started for it any more.
        return _finish([replace(one, ending=cancelled(one.claimed))])
    return rows


def _finish(ended: Sequence[Ended], *, wait: bool = True) -> list[Finished]:
    now = time.monotonic()
    code, message = errors.CANCELLED
    asked = {
        "ends": Jsonb([_as_json(one, now) for one in ended]),
        "cancelled": Jsonb({"code": code, "message": message, "retryable": False}),
        # Several are locked in no order: nobody may wait for one of them.
        "wait": wait and len(ended) == 1,
    }
    return sql.run("lifecycle/finish", asked, row=Finished)


def _as_json(ended: Ended, now: float) -> dict[str, Any]:
    """Return what finish.sql is told; most of it goes without saying where work has succeeded."""
    claimed, ending = ended.claimed, ended.ending
    said = {
        "task": str(claimed.id),
        "token": str(claimed.token),
        "status": ending.status.value,
        "outcome": ending.outcome.value,
        "took": ended.took_seconds,
        "kept": now - ended.at,
        "result": ending.result,
        "engine": ending.engine,
    }
    if ending.status is Status.SUCCEEDED:
        return said | {"usage": ending.usage} if ending.usage else said
    return said | {
        "charged": ending.charged,
        "alone": ending.alone,
        "worked": ending.worked,
        "delay": float(ending.delay_seconds),
        "error": ending.error,
        "traceback": clean(ending.traceback),
    }
