"""What a worker does with a ticket: a slice of work: claim, run, finish, again, for about a second."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import time
from types import FrameType
from uuid import uuid4

import psutil
from django.conf import settings
from django.db import connection

from tasks.cluster import node, tickets
from tasks.cluster.orphans import die_with_parent, orphaned
from tasks.cluster.shared import INTERRUPTS, SharedMemory, Why, WorkerRecord, WorkerState
from tasks.lifecycle.claim import claim_task
from tasks.lifecycle.run import run_attempt

logger = logging.getLogger(__name__)

SLICE_SECONDS = 1.0
TROUBLE_SECONDS = 0.5


class WorkerInterrupts:
    """`tasks.lifecycle.run.Interrupts` for one worker: signals from the sentinel, tokens from shared memory.

    A signal raises only while handler code is armed, and only for the attempt that it is meant for.
    """

    def __init__(self, memory: SharedMemory, record: WorkerRecord) -> None:
        self._memory = memory
        self._record = record

    def arm(self) -> None:
        self._record.armed = 1

    def disarm(self) -> bool:
        was_armed = bool(self._record.armed)
        self._record.armed = 0
        return was_armed

    def end(self) -> None:
        self._record.armed = 0
        self._record.interrupted_at = 0.0
        self._record.state = WorkerState.FINISHING

    def check(self) -> None:
        why = self._memory.why_interrupt(self._record)
        if why != Why.NOTHING:
            raise INTERRUPTS[why]

    def on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        if self._record.armed:
            self.check()


class Worker:
    """This worker process: its record in the node's memory, and how it is interrupted."""

    def __init__(self, here: node.Node) -> None:
        self.node = here
        self.record = here.memory.take_record()
        self.interrupts = WorkerInterrupts(here.memory, self.record)
        signal.signal(node.INTERRUPT_SIGNAL, self.interrupts.on_signal)

    def become_idle(self) -> None:
        """Say that this worker waits for a ticket."""
        self.record.state = WorkerState.IDLE
        self.node.wake()

    def work(self) -> bool:
        """Claim and run one task; False when there was none."""
        token = uuid4()
        ctypes.memmove(self.record.token, token.bytes, 16)
        self.record.interrupted_at = 0.0
        self.record.killed_for = Why.NOTHING
        # Only now may the claim be sent: a running task whose token nobody knows would be taken back.
        self.record.state = WorkerState.CLAIMING
        claimed = claim_task(cluster=self.node.cluster, node=self.node.id, pid=os.getpid(), token=token)
        if claimed is None:
            return False
        now = time.monotonic()
        ctypes.memmove(self.record.task, claimed.id.bytes, 16)
        self.record.since = now
        self.record.deadline = now + claimed.timeout_seconds
        self.record.state = WorkerState.RUNNING
        run_attempt(claimed, self.interrupts)
        return True


_worker: Worker | None = None


def start_worker() -> None:
    """Make this process a worker of the node. Called by django-q2's `post_spawn` in each worker."""
    global _worker
    die_with_parent()
    # A group of its own: killing the group takes along what a handler started.
    os.setpgid(0, 0)
    assert node.here is not None
    _worker = Worker(node.here)
    tickets.before_wait = _worker.become_idle


def run_slice() -> None:
    """Run tasks until the line is empty or a second has passed. The function that a ticket names.

    Never raises but SystemExit: what went wrong with a task is on the task, what went wrong with the
    database is logged, and django-q2 is to save neither.
    """
    assert _worker is not None
    _worker.record.state = WorkerState.CLAIMING
    ends_at = time.monotonic() + SLICE_SECONDS
    try:
        while _worker.node.memory.may_claim and not orphaned() and time.monotonic() < ends_at:
            if not _worker.work():
                break
    except Exception:
        logger.exception("the worker lost its grip on the database; it starts over")
        connection.close()
        time.sleep(TROUBLE_SECONDS)
    finally:
        _worker.interrupts.disarm()
    if psutil.Process().memory_info().rss > settings.WORKER_MAX_RSS_MB * 1024 * 1024:
        logger.info("worker %s holds much memory: replaced", os.getpid())
        _worker.record.state = WorkerState.IDLE
        raise SystemExit(0)
