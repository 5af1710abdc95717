"""Memory that all processes of a node share: what each worker does, and what it is asked to stop.

Made by the sentinel before it forks, so that every process inherits it. No locks: each field has
one writer at a time, tokens tell what a reader saw, and a torn read only means "look again".
Times are `time.monotonic()`, which is one clock for all processes of a machine.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import tempfile
import time
from collections.abc import Iterator
from enum import IntEnum
from uuid import UUID

from tasks import errors


class WorkerState(IntEnum):
    FREE = 0  # nobody's record
    IDLE = 1  # waiting for a ticket
    CLAIMING = 2  # its token is noted, the database is being asked
    RUNNING = 3
    FINISHING = 4  # its handler is over, the outcome is being recorded
    DEAD = 5  # died with a token; the node's duties recover it


# What an attempt may be in the midst of.
BUSY = (WorkerState.CLAIMING, WorkerState.RUNNING, WorkerState.FINISHING)


class WorkerRecord(ctypes.Structure):
    """One worker, written by itself; `cancel` by the pusher, `interrupted_at`, `killed_for`, DEAD by the sentinel."""

    _fields_ = (
        ("pid", ctypes.c_int64),
        ("state", ctypes.c_uint8),
        ("armed", ctypes.c_uint8),
        ("had_started", ctypes.c_uint8),
        ("killed_for", ctypes.c_uint8),
        ("token", ctypes.c_uint8 * 16),
        ("task", ctypes.c_uint8 * 16),
        ("cancel", ctypes.c_uint8 * 16),
        ("deadline", ctypes.c_double),
        ("since", ctypes.c_double),
        ("interrupted_at", ctypes.c_double),
    )

    @property
    def token_id(self) -> UUID:
        return UUID(bytes=bytes(self.token))

    @property
    def task_id(self) -> UUID:
        return UUID(bytes=bytes(self.task))


class Header(ctypes.Structure):
    """The node as a whole. `stopping_since` is 0 until SIGTERM; `superseded`: end now, nothing counts any more."""

    _fields_ = (
        ("stopping_since", ctypes.c_double),
        ("superseded", ctypes.c_uint8),
        ("ticked_at", ctypes.c_double),
        ("pusher_pid", ctypes.c_int64),
    )


class Why(IntEnum):
    """Why an attempt is interrupted."""

    NOTHING = 0
    CANCELLED = 1
    TIMED_OUT = 2
    STOPPING = 3


INTERRUPTS: dict[Why, type[errors.AttemptInterrupted]] = {
    Why.CANCELLED: errors.CancelRequested,
    Why.TIMED_OUT: errors.TimedOut,
    Why.STOPPING: errors.NodeStopping,
}


class SharedMemory:
    """The node's header and its worker records."""

    def __init__(self, workers: int, *, grace_seconds: float) -> None:
        # Twice the workers: records of dead ones are kept until they are recovered.
        self.size = workers * 2 + 2
        self.grace_seconds = grace_seconds
        self._memory = mmap.mmap(-1, ctypes.sizeof(Header) + ctypes.sizeof(WorkerRecord) * self.size)
        self.header = Header.from_buffer(self._memory)
        records = WorkerRecord * self.size
        self.records = records.from_buffer(self._memory, ctypes.sizeof(Header))
        self._lock_file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the node  # noqa: SIM115: lives as long as the node
        self.header.ticked_at = time.monotonic()

    def take_record(self) -> WorkerRecord:
        """Take a free record for this process. A POSIX lock serialises starting workers; death releases it."""
        fcntl.lockf(self._lock_file, fcntl.LOCK_EX)
        try:
            for record in self.records:
                if record.state == WorkerState.FREE:
                    clear(record)
                    record.pid = os.getpid()
                    record.state = WorkerState.IDLE
                    return record
        finally:
            fcntl.lockf(self._lock_file, fcntl.LOCK_UN)
        raise RuntimeError("Every worker record of this node is taken; too many workers died at once.")

    def busy(self) -> Iterator[WorkerRecord]:
        """Yield the records of workers that have a token."""
        return (record for record in self.records if record.state in BUSY)

    def idle_count(self) -> int:
        return sum(record.state == WorkerState.IDLE for record in self.records)

    def tokens(self) -> set[UUID]:
        """Return the tokens that workers, living or dead, claim or run with."""
        return {record.token_id for record in self.records if record.state in (*BUSY, WorkerState.DEAD)}

    def request_cancel(self, token: UUID) -> bool:
        """Note that the attempt with this token is cancelled; False when no worker here has it."""
        for record in self.busy():
            if record.token_id == token:
                ctypes.memmove(record.cancel, token.bytes, 16)
                return True
        return False

    @property
    def may_claim(self) -> bool:
        return not self.header.stopping_since and not self.header.superseded

    def stop_overdue(self, seconds: float) -> bool:
        """Return whether a stop was asked for and its grace time ended `seconds` ago."""
        since = self.header.stopping_since
        return bool(since) and time.monotonic() > since + self.grace_seconds + seconds

    def why_interrupt(self, record: WorkerRecord) -> Why:
        """Return what the worker's attempt should be interrupted for now; once its handler is over, only for a stop."""
        now = time.monotonic()
        if record.state == WorkerState.RUNNING:
            if bytes(record.cancel) == bytes(record.token):
                return Why.CANCELLED
            if record.deadline and now > record.deadline:
                return Why.TIMED_OUT
        if record.state in BUSY and (self.header.superseded or self.stop_overdue(0)):
            return Why.STOPPING
        return Why.NOTHING


def clear(record: WorkerRecord) -> None:
    ctypes.memset(ctypes.byref(record), 0, ctypes.sizeof(record))
