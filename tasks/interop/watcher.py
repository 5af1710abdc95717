"""Watches the tasks behind an executor's futures: one thread that listens, and looks by itself now and then.

NOTIFY only says where to look, and can be lost: all that is waited for is looked at every second as
well, which is also how it goes on while it cannot listen.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import psycopg
from django.db import DatabaseError, InterfaceError, connection, connections
from psycopg import sql

from tasks.direct import connection_parameters
from tasks.live import channels
from tasks.models import Attempt, Task
from tasks.statuses import TERMINAL, Status

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
AT_ONCE = 500


@dataclass(frozen=True)
class Seen:
    """A task at a glance. `result` and `traceback` (of the last failed attempt) only once it has ended."""

    id: UUID
    status: str
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    traceback: str = ""


class Waiting(Protocol):
    """Who waits for a task; `see` is called in the watcher's thread, the last time when the task has ended."""

    @property
    def task_id(self) -> UUID: ...

    def see(self, seen: Seen) -> None: ...


class Watcher:
    """Calls `see` of everyone added until their tasks have ended. The thread starts with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Waiting] = {}
        self._fresh: set[str] = set()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._listener: psycopg.Connection[Any] | None = None
        self._look_at = 0.0
        # Written to so that the thread looks up from its select.
        self._bell: socket.socket | None = None

    def add(self, waiting: Waiting) -> None:
        """Watch one more task."""
        with self._lock:
            self._waiting[str(waiting.task_id)] = waiting
            self._fresh.add(str(waiting.task_id))
            if self._thread is None:
                self._bell, ear = socket.socketpair()
                self._bell.setblocking(False)
                ear.setblocking(False)
                self._thread = threading.Thread(target=self._run, args=[ear], name="task-futures", daemon=True)
                self._thread.start()
        self._ring()

    def waiting(self) -> list[Waiting]:
        """Return everyone whose task has not ended."""
        with self._lock:
            return list(self._waiting.values())

    def close(self) -> None:
        """End the thread once nothing is waited for any more."""
        self._closing = True
        self._ring()

    def join(self) -> None:
        """Wait until the thread has ended; after `close`. Does nothing in the thread itself."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _ring(self) -> None:
        # Full: it is ringing already. Closed: the thread has ended.
        if self._bell is not None:
            with suppress(OSError):
                self._bell.send(b"!")

    # --- In the thread -----------------------------------------------------------------------------

    def _run(self, ear: socket.socket) -> None:
        assert self._bell is not None
        with self._bell, ear:
            try:
                while self._waiting or not self._closing:
                    self._look(self._wait(ear))
            finally:
                self._stop_listening()
                connections.close_all()

    def _wait(self, ear: socket.socket) -> Collection[str]:
        """Return the ids of tasks to look at, as soon as there may be any."""
        try:
            if self._listener is None:
                self._listen()
            notified = self._hear(ear)
        except (psycopg.Error, OSError) as error:
            logger.warning("cannot listen for notifications; futures look every second instead: %s", error)
            self._stop_listening()
            time.sleep(LOOK_SECONDS)
            notified = set()
            self._look_at = 0.0
        with self._lock:
            fresh, self._fresh = self._fresh, set()
            if time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + LOOK_SECONDS
                return list(self._waiting)
            return [name for name in notified | fresh if name in self._waiting]

    def _listen(self) -> None:
        self._listener = psycopg.connect(**connection_parameters(), autocommit=True)
        self._listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channels.TASK)))
        self._look_at = 0.0

    def _hear(self, ear: socket.socket) -> set[str]:
        assert self._listener is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener.fileno(), selectors.EVENT_READ)
            selector.register(ear, selectors.EVENT_READ)
            selector.select(max(0.0, self._look_at - time.monotonic()))
        with suppress(BlockingIOError):
            while ear.recv(4096):
                pass
        return {name for notice in self._listener.notifies(timeout=0) for name in _task_of(notice.payload)}

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def _look(self, names: Collection[str]) -> None:
        ordered = list(names)
        try:
            for start in range(0, len(ordered), AT_ONCE):
                for seen in _read(ordered[start : start + AT_ONCE]):
                    self._tell(seen)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("futures could not look at their tasks; trying again: %s", error)
            connection.close()

    def _tell(self, seen: Seen) -> None:
        waiting = self._waiting[str(seen.id)]
        if seen.status in TERMINAL:
            with self._lock:
                del self._waiting[str(seen.id)]
        waiting.see(seen)


def _task_of(payload: str) -> Iterator[str]:
    with suppress(ValueError, KeyError, TypeError):
        yield from [message["id"] for message in channels.messages_in(payload)]


def _read(names: list[str]) -> list[Seen]:
    rows = Task.objects.filter(pk__in=names).values("id", "status", "error", "content__result")
    found = [Seen(row["id"], row["status"], row["error"], row["content__result"]) for row in rows]
    failed = [seen.id for seen in found if seen.status == Status.FAILED]
    # In order of their numbers, so the last one stays.
    traces = dict(Attempt.objects.filter(task__in=failed).values_list("task", "traceback")) if failed else {}
    return [Seen(seen.id, seen.status, seen.error, seen.result, traces.get(seen.id, "")) for seen in found]
