"""Storing what was accepted: tasks are counted against their owner's plan and inserted by one statement."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.limits import Limits
from accounts.models import User
from tasks import sql
from tasks.lifecycle import admit, depend
from tasks.lifecycle.admit import Counting
from tasks.lifecycle.fill import MOST_TOLD, Arrived
from tasks.lifecycle.submission import Accepted, Usage
from tasks.models import Batch

# What becomes columns as it is: of the tasks of one request most have the same.
COLUMNS = (
    "type", "queue", "cluster", "lane", "priority", "priority_requested", "priority_reason", "est_seconds",
    "size_bucket", "waits", "max_attempts", "timeout_seconds", "keep_days", "keep_seconds", "run_after", "start_before",
    "copy_of", "started_by", "name", "tags", "traceparent", "waiting", "metadata", "needs",
)  # fmt: skip
_own = attrgetter(*COLUMNS[:-2])


class Inserted(NamedTuple):
    """What is used of the plan with these tasks, when they were made, and where they stand.

    `status`, `line_key` and `rank` are those of a single task; with `in_line` nothing is left for a fill to do.
    """

    day_count: int
    high_count: int
    urgent_count: int
    waiting_bound: int
    burst_seconds: float
    day_seconds_left: float
    created_at: datetime
    status: str | None
    line_key: float | None
    rank: float | None
    in_line: bool
    told: int
    setting: str | None

    @property
    def usage(self) -> Usage:
        return Usage._make(self[: len(Usage._fields)])


@dataclass(frozen=True)
class Stored:
    """Tasks as they were stored, and what is used of the plan with them, read under its lock.

    `in_line`: each has its place in its lane, a slot where one was free, and `arrived` says how a single one stands.
    `is_durable`: their commit is on the disk, or is the caller's.
    """

    tasks: Sequence[Accepted]
    created_at: datetime
    usage: Usage
    is_durable: bool = True
    in_line: bool = False
    arrived: Sequence[Arrived] = ()


@dataclass(frozen=True)
class Request:
    """What is stored beside the tasks, by the same statement: their batch, and the key that gives `ids` again.

    With `arrives` the statement is a transaction of its own, asynchronous, in which they come into their lanes, too.
    """

    arrives: bool
    batch: Batch | None = None
    key: str | None = None
    body_sha256: str = ""
    ids: Sequence[UUID] = ()


NO_REQUEST: dict[str, Any] = {
    "arrives": False, "lanes": None, "key": None, "body_sha256": "", "task_ids": None, "batch_name": "", "items": None,
    "most_told": MOST_TOLD,
}  # fmt: skip


def store_request(
    user: User, limits: Limits, accepted: Sequence[Accepted], request: Request, *, overrides: str
) -> Stored | None:
    """Store a request by one statement; None where it is to be looked at closely, and nothing was stored.

    Args:
        accepted: one, or those of a batch: in a chain each is stored before the next, which needs it.
        overrides: as for `admit.count_at_once`.

    Raises:
        IntegrityError: the key was taken at this very moment, and nothing was stored.
    """
    counting = admit.count_at_once(limits, accepted, overrides=overrides, rate=True) | {"key": request.key or None}
    if need_others(accepted):
        return _store_behind(user, accepted, request, counting)
    given = _given_with(user, accepted, counting, request)
    is_durable = True
    if not request.arrives:
        rows = _insert(given)
    elif "kind" in given:
        rows, is_durable = sql.run_hardened("lifecycle/insert_tasks", given, row=Inserted)
    else:
        rows, is_durable = sql.run_hardened("lifecycle/insert_task", given, row=Inserted)
    if not rows:
        return None
    [row] = rows
    return Stored(accepted, row.created_at, row.usage, is_durable, row.in_line, _arrived(accepted, row))


def _store_behind(user: User, accepted: Sequence[Accepted], request: Request, counting: Counting) -> Stored | None:
    """Store tasks behind those that they need, in two round trips: the first counts and locks, the second inserts."""
    with sql.pipeline():
        counted = sql.send("lifecycle/count_usage", counting | {"owner": user.pk}, row=Usage)
        needed = depend.send_wait_for_needs(user, accepted)
    if not counted():
        transaction.set_rollback(True)
        return None
    waiting = needed()
    given = _given_with(user, waiting, admit.NO_MORE | {"key": counting["key"]}, request)
    with sql.pipeline():
        inserted = _send_insert(given)
        depend.insert_dependencies(waiting)
    [row] = inserted()
    return Stored(waiting, row.created_at, row.usage)


def _given_with(user: User, accepted: Sequence[Accepted], counting: Counting, request: Request) -> dict[str, Any]:
    """Return the parameters of `_given` with those of what is stored beside the tasks."""
    batch = request.batch
    beside = counting | {
        "arrives": request.arrives,
        "lanes": sorted({task.lane for task in accepted}) if request.arrives else None,
        "body_sha256": request.body_sha256,
        "task_ids": _json([str(id_) for id_ in request.ids]) if request.key else None,
        "batch_name": "" if batch is None else batch.name,
        "items": None if batch is None else _json(batch.items),
    }
    return _given(user, accepted, beside, None if batch is None else batch.pk)


def need_others(accepted: Sequence[Accepted]) -> bool:
    return any(task.needs or task.after for task in accepted)


def _arrived(accepted: Sequence[Accepted], row: Inserted) -> list[Arrived]:
    if row.status is None or row.line_key is None:
        return []
    [task] = accepted
    return [Arrived(task.id, row.status, 1, row.line_key, row.rank, row.created_at, may_swap=False, told="")]


def store(
    user: User, limits: Limits, accepted: Sequence[Accepted], *, batch: UUID | None = None, rate: bool = True
) -> Stored | None:
    """Count tasks against limits that were read just now, and insert them. Needs a transaction.

    None: there was nothing to store but the request itself, which is counted.

    Args:
        rate: as for `admit.count_at_once`.

    Raises:
        QuotaExceeded: a limit of the plan is reached.
        InvalidInput: a task that is needed has failed or vanished meanwhile.
    """
    if not accepted:
        # Also without a task: a batch of nothing but faults was work, too, and costs the rate.
        if rate:
            admit.count_without_tasks(user, limits)
        return None
    if not need_others(accepted):
        counting = admit.count_at_once(limits, accepted, overrides=None, rate=rate)
        if rows := _insert(_given(user, accepted, counting, batch)):
            return Stored(accepted, rows[0].created_at, rows[0].usage)
    return _store_closely(user, limits, accepted, batch, rate=rate)


def _store_closely(
    user: User, limits: Limits, accepted: Sequence[Accepted], batch: UUID | None, *, rate: bool
) -> Stored:
    admitted, counting = admit.look_closer(user, limits, accepted, rate=rate)
    # One by one in a chain, where each finds those that it needs; the tasks of a batch do not need each other.
    groups = [admitted] if batch is not None else [[task] for task in admitted]
    stored: list[Accepted] = []
    inserted: list[Inserted] = []
    for group in groups:
        found = depend.wait_for_needs(user, group)
        inserted += _insert(_given(user, found, counting, batch))
        depend.insert_dependencies(found)
        stored += found
        counting = admit.NO_MORE
    # The last one: what is used with all of them.
    return Stored(stored, inserted[-1].created_at, inserted[-1].usage)


def _given(user: User, tasks: Sequence[Accepted], counting: Counting, batch: UUID | None) -> dict[str, Any]:
    """Return the parameters of `insert_tasks`, or of `insert_task` for a single one without a batch."""
    given = NO_REQUEST | counting | {"owner": user.pk, "batch": None if batch is None else str(batch)}
    return given | (_values(tasks[0]) if len(tasks) == 1 and batch is None else _arrays(tasks))


def _insert(given: dict[str, Any]) -> list[Inserted]:
    return _send_insert(given)()


def _send_insert(given: dict[str, Any]) -> Callable[[], list[Inserted]]:
    if "kind" in given:
        return sql.send("lifecycle/insert_tasks", given, row=Inserted)
    return sql.send("lifecycle/insert_task", given, row=Inserted)


def _values(task: Accepted) -> dict[str, Any]:
    """Return the parameters for one task; as text where there may be none, as each other type is planned anew."""
    needs = (*task.needs, *task.after)
    return task._asdict() | {
        "id": str(task.id),
        "input_hash": _text(task.input_hash),
        "run_after": _text(task.run_after),
        "start_before": _text(task.start_before),
        "copy_of": _text(task.copy_of),
        "started_by": _text(task.started_by),
        "keep_seconds": _text(task.keep_seconds),
        "est_seconds": float(task.est_seconds),
        "input": _json(task.input),
        "metadata": _json(task.metadata),
        "tags": list(task.tags),
        "needs": _uuids(needs),
        "is_waiting": task.waiting,
    }


def _arrays(tasks: Sequence[Accepted]) -> dict[str, Any]:
    kind = _columns(tasks[0])
    differs = [_difference(kind, columns) for columns in map(_columns, tasks)]
    return {
        "kind": _json(dict(zip(COLUMNS, kind, strict=True))),
        "ids": _uuids([task.id for task in tasks]),
        "hashes": _uuids([task.input_hash for task in tasks]),
        "inputs": _json([task.input for task in tasks]),
        "differs": _json(differs) if any(differs) else None,
    }


def _columns(task: Accepted) -> tuple[Any, ...]:
    # Metadata as text: for Python 1, 1.0 and true are the same, for whoever sent them they are not.
    return *_own(task), _json(task.metadata) if task.metadata else "{}", (*task.needs, *task.after)


def _difference(kind: tuple[Any, ...], columns: tuple[Any, ...]) -> dict[str, Any] | None:
    if columns == kind:
        return None
    each = zip(COLUMNS, columns, kind, strict=True)
    return {name: value for name, value, common in each if value != common}


def _uuids(ids: Sequence[UUID | None]) -> str:
    """Return an array's text: a list would be adapted value by value, which for a thousand takes a millisecond."""
    return "{" + ",".join(["NULL" if id_ is None else id_.hex for id_ in ids]) + "}"


def _text(value: UUID | datetime | int | None) -> str | None:
    return None if value is None else str(value)


def _json(value: Any) -> str:
    return json.dumps(value, default=_plain)


def _plain(value: object) -> str:
    # Ids and times; `default=str` would hide a mistake.
    assert isinstance(value, UUID | datetime), type(value)
    return str(value)
