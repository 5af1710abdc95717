"""What a worker does with a ticket: a slice of work (claim, run, finish, claim again) for about a second."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from types import FrameType
from uuid import UUID

import psutil
from django.conf import settings
from django.db import connection

from tasks import error_reports
from tasks.cluster import node
from tasks.cluster.django_q import tickets
from tasks.cluster.interrupts import WorkerInterrupts
from tasks.cluster.orphans import die_with_parent, orphaned
from tasks.cluster.recorder import Recorder
from tasks.cluster.shared import WorkerState
from tasks.cluster.stacks import write_stack_on_signal
from tasks.cluster.threads import Threads
from tasks.lifecycle.claim import MOST_TOGETHER, Claimed, claim_tasks
from tasks.lifecycle.recover import give_back
from tasks.lifecycle.run import record_end, run_handler
from tasks.sql.turns import SharedConnections

logger = logging.getLogger(__name__)

SLICE_SECONDS = 1.0
TROUBLE_SECONDS = 0.5
# After a slice that found nothing to take while its threads are all busy: the ticket was meant for another worker.
FULL_SECONDS = 0.02
# Results appear this much later at most than they could: while the next of a claim takes longer than was thought.
KEEP_SECONDS = 0.010
SHARED_CONNECTIONS = 4


class Worker:
    """This worker process: its record in the node's memory, its threads, and how both are interrupted."""

    def __init__(self, here: node.Node) -> None:
        self.node = here
        self.record = here.memory.take_record()
        self.interrupts = WorkerInterrupts(here.memory, self.record)
        shared = SharedConnections(SHARED_CONNECTIONS)
        self.recorder = Recorder(shared, keep_seconds=KEEP_SECONDS)
        self.threads = Threads(here, settings.WORKER_THREADS, shared)
        self._process = psutil.Process()
        self._tokens = new_tokens(MOST_TOGETHER)
        signal.signal(node.INTERRUPT_SIGNAL, self._on_signal)

    def become_idle(self) -> None:
        """Say that this worker waits for a ticket."""
        # Before there is work that would wait for them.
        self._tokens = self._tokens or new_tokens(MOST_TOGETHER)
        self.record.state = WorkerState.IDLE
        self.node.wake()

    def work(self) -> bool:
        """Claim and run one task, or several short ones; False when there was none."""
        tokens, self._tokens = self._tokens or new_tokens(MOST_TOGETHER), []
        # Both at once: whoever takes back unstarted tasks sees those of the claim before, or none.
        with self.node.memory.locked():
            self.record.note(tokens)
            self.record.state = WorkerState.CLAIMING
        # Only now may the claim be sent: a running task whose token nobody knows would be taken back.
        claimed = claim_tasks(
            cluster=self.node.cluster,
            node=self.node.id,
            pid=os.getpid(),
            tokens=tokens,
            threads=self._takes_waiting_work(),
        )
        self.record.keep(len(claimed))
        try:
            for number, one in enumerate(claimed):
                if not self._start(number, one):
                    give_back(self.node.id, self.record.unstarted_tokens())
                    break
        finally:
            # Before the next claim, which notes other tokens.
            self.recorder.record_all()
        return bool(claimed)

    def _takes_waiting_work(self) -> bool:
        return not settings.WORKER_THREADS or self.threads.free_count > 0

    def _start(self, number: int, claimed: Claimed) -> bool:
        """Run one of the claimed tasks, here or in a thread; False when it may not start any more."""
        memory = self.node.memory
        with memory.locked():
            if self.record.taken_back or not memory.may_claim:
                return False
            self.record.current = number
        if claimed.waits and not claimed.alone and self.threads.free_count > 0:
            self.threads.start(claimed)
            return True
        self.record.begin(claimed.token, claimed.id, timeout_seconds=claimed.timeout_seconds, alone=claimed.alone)
        if ended := run_handler(claimed, self.interrupts):
            if self.record.noted_count == 1:
                record_end(ended)
            else:
                self.recorder.keep(ended)
        return True

    @property
    def is_large(self) -> bool:
        return bool(self._process.memory_info().rss > settings.WORKER_MAX_RSS_MB * 1024 * 1024)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # The threads first: what is due here raises.
        self.threads.deliver_interrupts()
        self.interrupts.on_signal(number, frame)


def new_tokens(count: int) -> list[UUID]:
    """Return random tokens (UUIDv4); all from one call of the system."""
    drawn = os.urandom(16 * count)
    return [UUID(bytes=drawn[start : start + 16], version=4) for start in range(0, len(drawn), 16)]


_worker: Worker | None = None


def start_worker() -> None:
    """Make this process a worker of the node. Called by django-q2's `post_spawn` in each worker."""
    global _worker
    die_with_parent()
    # A group of its own: killing the group takes along what a handler started.
    os.setpgid(0, 0)
    assert node.here is not None
    write_stack_on_signal(node.here.stacks)
    error_reports.flush_at_end()
    _worker = Worker(node.here)
    tickets.run_slice = run_slice
    tickets.before_wait = _worker.become_idle
    tickets.before_stop = _worker.threads.join
    if settings.WORKER_THREADS:
        beside = threading.Thread(
            target=_worker.threads.claim_beside, args=[_worker.record], name="beside", daemon=True
        )
        beside.start()


def run_slice() -> None:
    """Run tasks until the line is empty or a second has passed. The function that a ticket names.

    Never raises but SystemExit: what went wrong with a task is on the task, what went wrong with the
    database is logged, and django-q2 is to save neither.
    """
    assert _worker is not None
    _worker.record.note([])
    _worker.record.state = WorkerState.CLAIMING
    ends_at = time.monotonic() + SLICE_SECONDS
    found = False
    try:
        # One's own record is busy while it asks.
        while _worker.node.memory.takes_work(beside=1) and not orphaned() and time.monotonic() < ends_at:
            if not _worker.work():
                break
            found = True
    except Exception:
        logger.exception("the worker failed and starts over")
        connection.close()
        time.sleep(TROUBLE_SECONDS)
    finally:
        _worker.interrupts.disarm()
    if not found and settings.WORKER_THREADS and not _worker.threads.free_count:
        time.sleep(FULL_SECONDS)
    _replace_when_large(_worker)


def _replace_when_large(worker: Worker) -> None:
    if worker.is_large:
        logger.info("worker %s uses too much memory and is replaced when its threads are done", os.getpid())
        worker.threads.join()
        worker.record.state = WorkerState.IDLE
        raise SystemExit(0)
