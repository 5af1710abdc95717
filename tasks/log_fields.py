"""Who and what a log line is about: ids that whoever writes it need not know (`contextvars`).

A thread that starts knows none of them; a process that is forked knows those of the thread that forked it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

Fields = Mapping[str, str | int]

NONE: Fields = MappingProxyType({})
_fields: ContextVar[Fields] = ContextVar("log_fields", default=NONE)


def current() -> Fields:
    """Return what the lines of this thread are about: `request_id`, `user_id`, `task_id`, `attempt`."""
    return _fields.get()


def add(**fields: str | int) -> None:
    """Add fields until the end of the `bound` around this."""
    _fields.set({**_fields.get(), **fields})


class bound:  # noqa: N801 - used as a function
    """Give the lines written within these fields, besides those there are; what is added within ends with it.

    A context manager without a generator: it stands around each task and each request.
    """

    __slots__ = ("_given", "_token")

    def __init__(self, **fields: str | int) -> None:
        self._given = fields

    def __enter__(self) -> None:
        self._token = _fields.set({**_fields.get(), **self._given})

    def __exit__(self, *_raised: object) -> None:
        _fields.reset(self._token)
