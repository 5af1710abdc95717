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
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from uuid import UUID

from tasks import errors
from tasks.lifecycle.claim import MOST_TOGETHER

# `WorkerRecord.current` before the first of what was claimed has started.
NOT_STARTED = 255


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
    """One worker, or one of its threads, written by itself.

    `cancel` is written by the pusher, `interrupted_at`, `killed_for` and DEAD by the sentinel. `noted` are the tokens
    that a worker claims with: `noted_count` of them, of which those after `current` have not started. Whoever holds
    the memory's lock may move `current`, or set `taken_back`: then what has not started will not start here.
    """

    _fields_ = (
        ("pid", ctypes.c_int64),
        ("state", ctypes.c_uint8),
        ("is_thread", ctypes.c_uint8),
        ("alone", ctypes.c_uint8),
        ("armed", ctypes.c_uint8),
        ("had_started", ctypes.c_uint8),
        ("killed_for", ctypes.c_uint8),
        ("noted_count", ctypes.c_uint8),
        ("current", ctypes.c_uint8),
        ("taken_back", ctypes.c_uint8),
        ("noted", ctypes.c_uint8 * 16 * MOST_TOGETHER),
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

    def note(self, tokens: Sequence[UUID]) -> None:
        """Note the tokens that this worker is going to claim with; none of them has started."""
        self.noted_count = 0
        self.taken_back = 0
        for place, token in zip(self.noted, tokens, strict=False):
            ctypes.memmove(place, token.bytes, 16)
        self.current = NOT_STARTED
        self.noted_count = len(tokens)

    def keep(self, count: int) -> None:
        """Forget all but the first of the noted tokens: those under which the claim gave tasks.

        In one step, and nothing else is touched: whoever looks at any moment must find what was claimed, and
        what was taken back meanwhile stays taken back.
        """
        self.noted_count = count

    def noted_tokens(self, first: int = 0) -> list[UUID]:
        return [UUID(bytes=bytes(self.noted[number])) for number in range(first, self.noted_count)]

    def unstarted_tokens(self) -> list[UUID]:
        return self.noted_tokens(0 if self.current == NOT_STARTED else self.current + 1)

    def begin(self, token: UUID, task: UUID, *, timeout_seconds: float, alone: bool) -> None:
        """Note what this worker runs from now on."""
        now = time.monotonic()
        self.interrupted_at = 0.0
        self.killed_for = Why.NOTHING
        ctypes.memmove(self.token, token.bytes, 16)
        ctypes.memmove(self.task, task.bytes, 16)
        self.alone = alone
        self.since = now
        self.deadline = now + timeout_seconds
        self.state = WorkerState.RUNNING


class Header(ctypes.Structure):
    """The node as a whole. `stopping_since` is 0 until SIGTERM; `superseded`: end now, nothing counts any more."""

    _fields_ = (
        ("stopping_since", ctypes.c_double),
        ("superseded", ctypes.c_uint8),
        ("throttled", ctypes.c_uint8),
        ("ticked_at", ctypes.c_double),
        ("pusher_pid", ctypes.c_int64),
    )


class Why(IntEnum):
    """Why an attempt is interrupted."""

    NOTHING = 0
    CANCELLED = 1
    TIMED_OUT = 2
    STOPPING = 3
    FROZEN = 4  # no exception: its worker was killed where no handler ran


INTERRUPTS: dict[Why, type[errors.AttemptInterrupted]] = {
    Why.CANCELLED: errors.CancelRequested,
    Why.TIMED_OUT: errors.TimedOut,
    Why.STOPPING: errors.NodeStopping,
}


class SharedMemory:
    """The node's header and its worker records."""

    def __init__(self, workers: int, *, grace_seconds: float, threads: int = 0) -> None:
        # Twice the workers: records of dead ones are kept until they are recovered.
        self.size = (workers * 2 + 2) * (1 + threads)
        self.threads = threads
        self.grace_seconds = grace_seconds
        self._memory = mmap.mmap(-1, ctypes.sizeof(Header) + ctypes.sizeof(WorkerRecord) * self.size)
        self.header = Header.from_buffer(self._memory)
        records = WorkerRecord * self.size
        self.records = records.from_buffer(self._memory, ctypes.sizeof(Header))
        self._lock_file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the node
        weakref.finalize(self, self._lock_file.close)
        # A record lock does not keep the threads of one process apart.
        self._between_threads = threading.Lock()
        self.header.ticked_at = time.monotonic()

    @contextmanager
    def locked(self, *, wait: bool = True) -> Iterator[bool]:
        """Hold the node's one lock. Between processes it is a POSIX record lock: death releases it.

        Without `wait` it gives False at once where somebody else holds it.
        """
        if not self._between_threads.acquire(blocking=wait):
            yield False
            return
        try:
            try:
                fcntl.lockf(self._lock_file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if wait:
                    raise
                yield False
                return
            try:
                yield True
            finally:
                fcntl.lockf(self._lock_file, fcntl.LOCK_UN)
        finally:
            self._between_threads.release()

    def take_record(self, *, is_thread: bool = False) -> WorkerRecord:
        """Take a free record for this process, or for a thread of it."""
        with self.locked():
            for record in self.records:
                if record.state == WorkerState.FREE:
                    clear(record)
                    record.pid = os.getpid()
                    record.is_thread = is_thread
                    record.state = WorkerState.IDLE
                    return record
        raise RuntimeError("Every worker record of this node is taken; too many workers died at once.")

    def busy(self) -> Iterator[WorkerRecord]:
        """Yield the records of workers that have a token."""
        return (record for record in self.records if record.state in BUSY)

    def idle_count(self) -> int:
        return sum(record.state == WorkerState.IDLE and not record.is_thread for record in self.records)

    def has_free_threads(self) -> bool:
        """Return whether an idle worker has a thread to spare; also where there are none, and workers do all work."""
        if not self.threads:
            return True
        records = [(record.pid, record.state, record.is_thread) for record in self.records]
        busy = Counter(pid for pid, state, is_thread in records if is_thread and state != WorkerState.FREE)
        idle = [pid for pid, state, is_thread in records if state == WorkerState.IDLE and not is_thread]
        return any(busy[pid] < self.threads for pid in idle)

    def tokens(self) -> set[UUID]:
        """Return the tokens that workers, living or dead, claim or run with.

        Threads are read last: a worker notes a token for a thread before it forgets it as its own, so read in
        this order it is seen here or there.
        """
        found: set[UUID] = set()
        for of_threads in (False, True):
            for record in self.records:
                if bool(record.is_thread) == of_threads and record.state in (*BUSY, WorkerState.DEAD):
                    # What was taken back will not start here: still running by the table, it is to be given back.
                    until = record.current + 1 if record.taken_back else None
                    found.update((record.token_id, *record.noted_tokens()[:until]))
        return found

    def take_back_unstarted(self, record: WorkerRecord) -> list[UUID]:
        """Take from a busy worker what it has claimed and not started; return the tokens. Never waits."""
        with self.locked(wait=False) as is_mine:
            if not is_mine or record.state not in BUSY or record.state == WorkerState.CLAIMING or record.taken_back:
                return []
            record.taken_back = 1
            return record.unstarted_tokens()

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

    def takes_work(self, *, beside: int = 0) -> bool:
        """Return whether this node takes new work now; throttled, it runs one task at a time.

        Args:
            beside: how many of the busy records are the asking worker's own and do not count.
        """
        if not self.may_claim:
            return False
        return not self.header.throttled or sum(1 for _ in self.busy()) <= beside

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
