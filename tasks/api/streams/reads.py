"""What streams read: short statements in a few threads, which give their connection back at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection

from accounts.models.token import Scope
from tasks import errors, sql
from tasks.api import refusals
from tasks.api.authentication import token_of_header
from tasks.api.objects.task_json import task_json
from tasks.lifecycle.explain import Wait, explain_wait
from tasks.lifecycle.read import TaskRow, read_row
from tasks.models import Task
from tasks.statuses import TERMINAL

Read = TypeVar("Read")

# Few: a thousand streams that all wake must not take the database from the pages.
THREADS = 4
EVENTS_AT_ONCE = 200
# A stream that was gone for so long, or missed so much, cannot go on.
LONGEST_GAP = timedelta(hours=1)
MOST_MISSED_TASKS = 5000
# Transactions that began before the time of a position may commit after it.
OVERLAP = timedelta(seconds=5)

# These change with every word that a task says, which has events of its own.
PASSING: dict[str, Any] = {"version": 0, "progress_fraction": None, "progress_stage": ""}

# What is to be read and has not begun, by what is asked.
_asked: dict[tuple[Any, ...], asyncio.Future[Any]] = {}
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="stream")


class Said(NamedTuple):
    """An event of a task: `shown` is its JSON."""

    id: int
    task_id: UUID
    kind: str
    shown: str


class Changed(NamedTuple):
    """Ids of an owner's tasks; `too_many` says that there may be more."""

    changed: list[UUID]
    too_many: bool


@dataclass(frozen=True)
class Shown:
    """A task as the API shows it; written once for all who watch it."""

    task: TaskRow
    wait: Wait

    @cached_property
    def json(self) -> str:
        return task_json(self.task, self.wait)

    @cached_property
    def lasting(self) -> int:
        """A hash of what does not pass: not the text, as thousands may watch tasks whose inputs have megabytes."""
        return hash(task_json(self.task._replace(**PASSING), self.wait))


async def in_thread(read: Callable[..., Read], *given: Hashable) -> Read:
    """Run a function that reads, and give its connection back; nobody may change what it returns.

    Thousands may wake for the same event: who asks what somebody has asked and nobody has begun to read gets the same
    answer. It knows all that was committed before either of them asked.
    """
    asked = (read, *given)
    answer = _asked.get(asked)
    if answer is None:
        loop = asyncio.get_running_loop()
        answer = _asked[asked] = loop.create_future()
        loop.run_in_executor(_threads, _begin, asked).add_done_callback(partial(_pass_on, answer))
    # Who leaves takes the answer from nobody.
    found: Read = await asyncio.shield(answer)
    return found


def _begin(asked: tuple[Any, ...]) -> Any:
    # From now on something may be committed that is not read any more.
    del _asked[asked]
    read, *given = asked
    try:
        return read(*given)
    finally:
        connection.close()


def _pass_on(answer: asyncio.Future[Any], done: asyncio.Future[Any]) -> None:
    if done.cancelled() or answer.cancelled():
        answer.cancel()
    elif error := done.exception():
        answer.set_exception(error)
        # They may all have left.
        answer.exception()
    else:
        answer.set_result(done.result())


def is_good_for_reading(header: str) -> bool:
    """Say whether an Authorization header still stands for somebody who may read tasks, as the view asked at first."""
    try:
        token = token_of_header(header)
    except refusals.ApiRefusal:
        return False
    return token is not None and token.user.is_active and Scope.TASKS_READ in token.scopes


def read_shown(task_id: UUID, owner_id: int) -> Shown | None:
    """Return a task of this owner as the API shows it; None when it is not there."""
    try:
        task = read_row(task_id, owner_id)
    except errors.NotFound:
        return None
    return Shown(task, explain_wait(task))


def read_ended(task_ids: tuple[UUID, ...], owner_id: int) -> set[UUID]:
    """Return which of these tasks of this owner have ended."""
    ended = Task.objects.filter(pk__in=task_ids, owner=owner_id, status__in=TERMINAL)
    return set(ended.values_list("pk", flat=True))


def read_events(task_ids: tuple[UUID, ...], after: int) -> list[Said]:
    """Return the next events of these tasks, EVENTS_AT_ONCE at most; whose they are must be known."""
    asked = {"tasks": list(task_ids), "after": after, "limit": EVENTS_AT_ONCE}
    return sql.run("lifecycle/read_events", asked, row=Said)


def read_position() -> tuple[int, int]:
    """Return the place where a stream of everything begins: the last event's number, and the time in milliseconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0), (extract(epoch FROM now()) * 1000)::bigint FROM event")
        number, milliseconds = cursor.fetchone()
    return int(number), int(milliseconds)


def read_changed(owner_id: int, since_ms: int) -> list[UUID] | None:
    """Return the tasks of an owner that changed since a time; None when that cannot be told any more."""
    since = datetime.fromtimestamp(since_ms / 1000, UTC)
    if datetime.now(UTC) - since > LONGEST_GAP:
        return None
    given = {"owner": owner_id, "since": since - OVERLAP, "limit": MOST_MISSED_TASKS}
    [row] = sql.run("lifecycle/read_changed", given, row=Changed)
    return None if row.too_many else row.changed
