"""What follows the commit of a promise. Where it fails, the answer is made of what is known without it.

The one place where that is decided: docs/decisions/0021-a-promise-is-answered.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection

from accounts.models import User
from tasks.lifecycle.read import get_task
from tasks.lifecycle.submission import Accepted
from tasks.models import Task, TaskContent
from tasks.statuses import Status

# Below the milliseconds of a UUIDv7 (RFC 9562, section 5.7).
TIME_BITS = 80

Value = TypeVar("Value")

logger = logging.getLogger(__name__)


@contextmanager
def left_to_the_sweep(what: str) -> Iterator[None]:
    """Surround the second of two transactions. Where it fails, that is logged: durable rows tell the sweep of it.

    Args:
        what: the transaction, for the log: "filling lanes".
    """
    try:
        yield
    except Exception as error:
        if connection.in_atomic_block:
            # The caller's own: it has promised nothing yet, and the second transaction could not even begin.
            raise
        _log_failure("%s is left to the sweep", what, error)


def after_commit(step: Callable[[], Value], *, otherwise: Callable[[], Value], what: str) -> Value:
    """Do a step that follows a commit and return what it gives; where it fails, log that and return `otherwise`.

    Args:
        otherwise: gives what is known without the step; asks neither the database nor anybody else.
        what: the step, for the log: "reading the task back".
    """
    try:
        return step()
    except Exception as error:
        _log_failure("%s failed after the commit, which stands", what, error)
    return otherwise()


def _log_failure(message: str, what: str, error: Exception) -> None:
    """Log, and raise nothing: what was promised is stored, and who heard of an error would ask for it again."""
    if isinstance(error, DatabaseError | InterfaceError):
        logger.warning(f"{message}: %s", what, error)
        # Not `close()`: after a deadlock, or a lock that did not come free in time, the connection is sound and has its
        # prepared statements. Django asks the server once, and closes a connection that was cut.
        connection.close_if_unusable_or_obsolete()
    else:
        logger.error(message, what, exc_info=error)


def read_back(user: User, accepted: Accepted) -> Task:
    """Return a task that was stored just now, with its content: as it stands, or else as it was stored."""
    return after_commit(
        lambda: get_task(accepted.id), otherwise=lambda: _as_stored(user, accepted), what="reading the task back"
    )


def read_again(task: Task) -> Task:
    """Return a task that was changed just now, with its content: as it stands, or else as it is given, without."""

    def as_given() -> Task:
        # Not to be looked up either.
        Task._meta.get_field("content").set_cached_value(task, None)
        return task

    return after_commit(lambda: get_task(task.pk), otherwise=as_given, what="reading the task back")


def _as_stored(user: User, accepted: Accepted) -> Task:
    """Return what `insert_tasks.sql` has made of it."""
    task = Task(
        id=accepted.id,
        owner_id=user.pk,
        type=accepted.type,
        queue_id=accepted.queue,
        lane_id=accepted.lane,
        cluster=accepted.cluster,
        copy_of=accepted.copy_of,
        started_by=accepted.started_by,
        status=first_status(accepted),
        version=1,
        priority=accepted.priority,
        priority_requested=accepted.priority_requested,
        priority_reason=accepted.priority_reason,
        size_bucket=accepted.size_bucket,
        attempt_number=0,
        attempts_charged=0,
        max_attempts=accepted.max_attempts,
        timeout_seconds=accepted.timeout_seconds,
        progress_stage="",
        run_after=accepted.run_after,
        start_before=accepted.start_before,
        created_at=datetime.fromtimestamp((accepted.id.int >> TIME_BITS) / 1000, UTC),
    )
    content = TaskContent(
        task_id=accepted.id,
        input=accepted.input,
        usage={},
        metadata=dict(accepted.metadata),
        tags=list(accepted.tags),
        needs=[*accepted.needs, *accepted.after],
    )
    Task._meta.get_field("content").set_cached_value(task, content)
    return task


def first_status(accepted: Accepted) -> Status:
    """Return the status that a task is stored with."""
    if accepted.waiting:
        return Status.WAITING
    if accepted.run_after is not None and accepted.run_after > datetime.now(UTC):
        return Status.SCHEDULED
    return Status.HELD
