"""The pipe that carries tickets from the pusher to the workers, in place of django-q2's queue.

`multiprocessing.Queue` holds a lock while an idle worker waits in `get`; `kill -9` of that one worker
stops the whole cluster. Tickets and their results have no content, so one byte says it all: reads
and writes of a byte are atomic in the kernel, and a killed reader takes nothing with it.
"""

from __future__ import annotations

import array
import fcntl
import os
import termios
from collections.abc import Callable
from typing import Any

from tasks.cluster.orphans import die_with_parent

STOP = b"S"
TICKET = b"T"
RESULT = b"R"

RUN_SLICE = "tasks.cluster.worker.run_slice"

# The same in a worker process, where it is set: django-q2 would look the name up for each ticket.
run_slice: Callable[[], None] | None = None
# What a worker process does before it waits for its next ticket; set when it starts.
before_wait: Callable[[], None] | None = None
# What it does before it ends because it is told to.
before_stop: Callable[[], None] | None = None


def ticket() -> dict[str, Any]:
    """Return the message that django-q2's worker executes: run a slice, without a time limit of its own."""
    return {"id": "ticket", "name": "ticket", "func": RUN_SLICE, "args": [], "kwargs": {}, "timeout": -1, "save": False}


def result() -> dict[str, Any]:
    """Return what django-q2's monitor sees of a slice: a success that is not to be saved."""
    return ticket() | {"success": True, "result": None}


class TicketPipe:
    """The part of `django_q.queues.Queue` that a cluster uses, over a pipe of one-byte records."""

    def __init__(self, maxsize: int = 0) -> None:
        # `maxsize` is not needed: the broker gives out no more tickets than workers are idle.
        self._reader, self._writer = os.pipe()

    def put(self, message: Any) -> None:
        record = STOP if message == "STOP" else RESULT if "success" in message else TICKET
        os.write(self._writer, record)

    def get(self) -> Any:
        die_with_parent()
        if before_wait is not None:
            before_wait()
        record = os.read(self._reader, 1)
        if record == STOP:
            if before_stop is not None:
                before_stop()
            return "STOP"
        return (ticket() | {"func": run_slice or RUN_SLICE}) if record == TICKET else result()

    def qsize(self) -> int:
        """Return how many records are in the pipe: tickets that no worker has taken yet."""
        waiting = array.array("i", [0])
        fcntl.ioctl(self._reader, termios.FIONREAD, waiting)
        return waiting[0]

    def empty(self) -> bool:
        return self.qsize() == 0

    def close(self) -> None:
        """Do nothing: workers that are still to read STOP hold the same pipe."""

    def join_thread(self) -> None:
        """Do nothing: writes are done when `put` returns; there is no feeder thread."""
