"""Takes turns at a few database connections: the many threads of a worker share them.

A thread that waits for a model server for a minute speaks to the database for some milliseconds of it. Django would
give each thread a connection of its own; a node with 64 threads would take all that Postgres has.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import LifoQueue

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


class SharedConnections:
    """Connections of one process, made when they are first needed; the one used last is used next."""

    def __init__(self, most: int) -> None:
        self._free: LifoQueue[BaseDatabaseWrapper | None] = LifoQueue()
        for _ in range(most):
            self._free.put(None)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Use one of them as Django's connection in this thread; waits while all are in use."""
        shared = self._free.get()
        try:
            shared = shared or self._make()
            connections[DEFAULT_DB_ALIAS] = shared
            try:
                yield
            finally:
                del connections[DEFAULT_DB_ALIAS]
        finally:
            # Whatever went wrong: a place that is lost once is lost to all threads for good.
            self._free.put(shared)

    @staticmethod
    def _make() -> BaseDatabaseWrapper:
        made = connections.create_connection(DEFAULT_DB_ALIAS)
        made.inc_thread_sharing()
        return made


class _Thread(threading.local):
    shared: SharedConnections | None = None
    has_turn = False


_thread = _Thread()


def share_connections(shared: SharedConnections) -> None:
    """From now on this thread takes turns."""
    _thread.shared = shared


@contextmanager
def database_turn() -> Iterator[None]:
    """Hold around everything that speaks to the database on behalf of a running task, and around nothing that waits.

    In a thread that has a connection of its own it does nothing; so it does inside another turn.
    """
    if _thread.shared is None or _thread.has_turn:
        yield
        return
    with _thread.shared.turn():
        _thread.has_turn = True
        try:
            yield
        finally:
            _thread.has_turn = False
