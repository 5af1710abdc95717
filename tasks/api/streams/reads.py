"""What streams read: short statements in a few threads, which give their connection back at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection

from tasks import errors, sql
from tasks.api.objects.task import task_object
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.read import read_task
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
    """A task as the API shows it."""

    object: dict[str, Any]
    version: int
    done: bool


async def in_thread(read: Callable[..., Read], *given: Any) -> Read:
    """Run a function that reads, and give its connection back."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _released, read, given)


def read_shown(task_id: UUID, owner_id: int) -> Shown | None:
    """Return a task of this owner as the API shows it; None when it is not there."""
    try:
        task, content = read_task(task_id, owner_id)
    except errors.NotFound:
        return None
    return Shown(task_object(task, content, explain_wait(task)), task.version, task.done)


def read_ended(task_ids: Collection[UUID], owner_id: int) -> set[UUID]:
    """Return which of these tasks of this owner have ended."""
    ended = Task.objects.filter(pk__in=task_ids, owner=owner_id, status__in=TERMINAL)
    return set(ended.values_list("pk", flat=True))


def read_events(task_ids: Iterable[UUID], after: int) -> list[Said]:
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


def encode(value: dict[str, Any]) -> str:
    """Return JSON without line breaks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _released(read: Callable[..., Read], given: tuple[Any, ...]) -> Read:
    try:
        return read(*given)
    finally:
        connection.close()
