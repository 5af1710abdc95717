"""A read whose connection was cut while it was answered is done once more: it changes nothing, so nobody need know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponseBase
from psycopg import OperationalError as DriversError
from psycopg.errors import AdminShutdown, CrashShutdown, ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout

Response = TypeVar("Response", bound=HttpResponseBase)

AWAY = (OperationalError, InterfaceError)


def is_away(error: Exception) -> bool:
    """Say whether an error means that the database is not there for now: also where it is, and takes no writes.

    After a fail-over that is the former primary; whoever tries again is led to the new one.
    """
    return isinstance(error, AWAY) or isinstance(error.__cause__, ReadOnlySqlTransaction)


def is_cut_read(request: HttpRequest, error: Exception) -> bool:
    """Say whether a request is a read that failed for a lost connection, for the first time.

    One that got no connection at all has waited for it already.
    """
    return (
        isinstance(error, AWAY)
        and request.method in {"GET", "HEAD"}
        and not hasattr(request, "read_again")
        and (_was_cut(error) or (connection.connection is not None and not connection.is_usable()))
    )


def read_again(request: HttpRequest, read: Callable[[], Response]) -> Response:
    """Answer a read on another connection."""
    request.read_again = True  # type: ignore[attr-defined]
    connection.close()
    return read()


def _was_cut(error: Exception) -> bool:
    """Say whether the error itself tells of a connection that was there.

    One that is lost in a transaction is given up by Django before anybody can look at it.
    """
    cause = error.__cause__
    if isinstance(cause, AdminShutdown | CrashShutdown):
        return True
    # The server said nothing any more. psycopg notes `pgconn` when connecting fails, and only then.
    if not isinstance(cause, DriversError) or isinstance(cause, PoolTimeout):
        return False
    return cause.sqlstate is None and cause.pgconn is None
