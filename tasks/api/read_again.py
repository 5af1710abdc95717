"""A read whose connection was cut while it was answered is done once more: it changes nothing, so nobody need know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponseBase

Response = TypeVar("Response", bound=HttpResponseBase)

AWAY = (OperationalError, InterfaceError)


def is_cut_read(request: HttpRequest, error: Exception) -> bool:
    """Say whether a request is a read that failed for a lost connection, for the first time.

    One that got no connection at all has waited for it already.
    """
    return (
        isinstance(error, AWAY)
        and request.method in {"GET", "HEAD"}
        and not hasattr(request, "read_again")
        and connection.connection is not None
        and not connection.is_usable()
    )


def read_again(request: HttpRequest, read: Callable[[], Response]) -> Response:
    """Answer a read on another connection."""
    request.read_again = True  # type: ignore[attr-defined]
    connection.close()
    return read()
