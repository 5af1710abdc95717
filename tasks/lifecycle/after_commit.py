"""What follows the commit of a promise. Where it fails, the answer is made of what is known without it.

The one place where that is decided: docs/decisions/0021-a-promise-is-answered.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection

from tasks.lifecycle.read import get_task
from tasks.models import Task

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


def read_again(task: Task) -> Task:
    """Return a task that was changed just now, with its content: as it stands, or else as it is given, without."""

    def as_given() -> Task:
        # Not to be looked up either.
        Task._meta.get_field("content").set_cached_value(task, None)
        return task

    return after_commit(lambda: get_task(task.pk), otherwise=as_given, what="reading the task back")
