"""Functions that the tests run as tasks: what a Django app with `@task` would have."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from datetime import UTC, datetime
from os import getpid  # imported, not defined here: not to be called by this module's name  # noqa: F401
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from tasks.errors import Retry
from tasks.interop.library import TaskContext

try:
    from django.tasks import task
except ImportError:
    from django_tasks import task  # type: ignore[no-redef]


class TooSad(Exception):
    pass


@task
def add(first: int, second: int = 1) -> int:
    return first + second


@task(priority=100, queue_name="text")
def urgent() -> str:
    return "done"


@task(takes_context=True)
def who(context: TaskContext[..., Any], greeting: str) -> dict[str, Any]:
    return {"greeting": greeting, "id": context.task_result.id, "attempt": context.attempt}


@task
async def later(value: str) -> str:
    await asyncio.sleep(0.01)
    return value


@task
def fail(words: str) -> None:
    raise TooSad(words)


@task(takes_context=True)
def succeed_at_second_attempt(context: TaskContext[..., Any]) -> int:
    if context.attempt < 2:
        raise Retry("not yet", after=0)
    return context.attempt


@task
def today() -> object:
    return datetime.now(UTC)


def square(number: int) -> int:
    return number * number


def pid_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def sleep_in_the_database(seconds: float) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def rename_and_leave_open(email: str) -> str:
    transaction.set_autocommit(False)
    User.objects.filter(email=email).update(name="left open")
    return "left open"


def planner() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_hashjoin")
        return str(cursor.fetchone()[0])


def leave_mark(path: str) -> None:
    """Leave a file that says that this ran."""
    with open(path, "w") as file:
        file.write("ran")


def loaded_modules() -> list[str]:
    return sorted(sys.modules)


def frozen_objects() -> int:
    return gc.get_freeze_count()
