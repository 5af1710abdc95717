"""Finishing: the one way an attempt ends, whatever the outcome. Exactly once, by its token.

Transaction 1 (`finish.sql`) is durable and touches no lane. Transaction 2 (`settle`) gives the
slot back; if it is lost, the settlement that 1 left behind is found by the sweep.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
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
from tasks.models import Attempt
from tasks.statuses import Status

PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 0.5


class Finished(NamedTuple):
    """The task as transaction 1 left it."""

    id: UUID
    status: str
    lane_id: int
    has_dependents: bool


@dataclass(frozen=True)
class Recorded:
    """What transaction 1 left for transaction 2."""

    has_dependents: bool


def finish_attempt(claimed: Claimed, ending: Ending) -> bool:
    """Record the end of an attempt and give its slot back. Opens its own transactions.

    Returns:
        False when the attempt was superseded: then nothing was written, and nothing may be.
    """
    recorded = record_ending(claimed, ending)
    if recorded is None:
        return False
    started = [child for child, _ in ending.started]
    with left_to_the_sweep(f"settling {claimed.id}"):
        settle([(claimed.token, claimed.lane_id)], dependents=recorded.has_dependents, started=started)
    return True


def record_ending(claimed: Claimed, ending: Ending, *, patience_seconds: float = PATIENCE_SECONDS) -> Recorded | None:
    """Transaction 1; None when the attempt was superseded.

    Tried again while the database is away, for as long as patience lasts, so that finished work is not thrown away.
    If an answer is lost, the token among the attempts tells whether it was committed.

    Raises:
        Refused: there is no room for the tasks that the handler started, or what they need has failed meanwhile;
            nothing was written.
        DataError: Postgres cannot store what the attempt left behind; nothing was written.
        DatabaseError: the database stayed away; the task will be recovered and run again.
    """
    deadline = time.monotonic() + patience_seconds
    parameters = _parameters(claimed, ending)
    asked_before = False
    while True:
        try:
            if asked_before and Attempt.objects.filter(token=claimed.token).exists():
                return Recorded(has_dependents=True)
            asked_before = True
            row = _write(claimed, ending, parameters)
            return None if row is None else Recorded(row.has_dependents)
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)


def _write(claimed: Claimed, ending: Ending, parameters: dict[str, Any]) -> Finished | None:
    if not ending.started:
        return sql.run_one("lifecycle/finish", parameters, row=Finished)
    with transaction.atomic(durable=True):
        children.insert_started(claimed, ending.started)
        row = sql.run_one("lifecycle/finish", parameters, row=Finished)
        if row is None or row.status != Status.WAITING:
            transaction.set_rollback(True)
    if row is not None and row.status != Status.WAITING:
        # It was cancelled meanwhile: nothing is started for it any more.
        return sql.run_one("lifecycle/finish", _parameters(claimed, cancelled(claimed)), row=Finished)
    return row


def _parameters(claimed: Claimed, ending: Ending) -> dict[str, Any]:
    return {
        "task": claimed.id,
        "token": claimed.token,
        "status": str(ending.status),
        "outcome": str(ending.outcome),
        "charged": ending.charged,
        "alone": ending.alone,
        "worked": ending.worked,
        "late": claimed.late_seconds,
        "delay": float(ending.delay_seconds),
        "error": None if ending.error is None else Jsonb(ending.error),
        "cancelled": Jsonb(describe(claimed, *errors.CANCELLED, retryable=False)),
        "traceback": clean(ending.traceback),
        "result": Jsonb(ending.result),
        "engine": None if ending.engine is None else Jsonb(ending.engine),
        "usage": Jsonb(ending.usage),
    }
