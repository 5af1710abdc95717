"""Calls one function in a worker: found by its name, on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any
from uuid import UUID

from tasks.functions.allowed import find_function, function_of
from tasks.functions.connection import own_connection


def call_function(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, task_id: UUID, backend: str = ""
) -> Any:
    """Call an allowed function and return what it returns; a coroutine is run to its end.

    Args:
        backend: alias of the `django.tasks` backend that enqueued it, which makes the context for
            those that take one; empty for a plain call.

    Raises:
        FunctionNotAllowed: the allow-list of this worker does not name it.
    """
    found = find_function(name)
    function = function_of(found)
    with own_connection():
        if backend and getattr(found, "takes_context", False):
            args = [found.using(backend=backend).get_backend().make_context(task_id), *args]
        if iscoroutinefunction(function):
            return asyncio.run(function(*args, **kwargs))
        return function(*args, **kwargs)
