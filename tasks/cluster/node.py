"""A node: one `qcluster` process tree. Its ticks run in the sentinel, from shared memory alone."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.db.models import F
from django.db.models.functions import Now

from tasks.cluster.django_q.tickets import TicketPipe
from tasks.cluster.frozen import Watch
from tasks.cluster.maintenance import register_duties
from tasks.cluster.shared import BUSY, SharedMemory, Why, WorkerRecord, WorkerState, clear
from tasks.functions import allowed as functions
from tasks.lifecycle.claim import running_tasks_of
from tasks.lifecycle.ending import returned
from tasks.lifecycle.finish import finish_attempt
from tasks.models import Cluster as ClusterRow
from tasks.models import Node as NodeRow
from tasks.models.ids import new_id
from tasks.models.node import NodeStatus

logger = logging.getLogger(__name__)

# From the first signal until the worker is killed.
KILL_AFTER_SECONDS = 5.0
# From the end of the grace time: by then every worker has finished or was killed twice over.
WORKERS_GONE_SECONDS = 2 * KILL_AFTER_SECONDS + 2.0
PUSHER_KILL_SECONDS = 3 * KILL_AFTER_SECONDS
INTERRUPT_SIGNAL = signal.SIGUSR1


class Node:
    """What all processes of one `qcluster` share: its id, memory, ticket pipe and wake-up pipe."""

    def __init__(self, *, cluster: str, workers: int, tickets: TicketPipe) -> None:
        self.id: UUID = new_id()
        self.cluster = cluster
        self.workers = workers
        self.tickets = tickets
        self.sentinel_pid = os.getpid()
        self.leader_pid = os.getppid()
        self.memory = SharedMemory(workers, grace_seconds=settings.STOP_GRACE_SECONDS, threads=settings.WORKER_THREADS)
        self._watch = Watch(self.memory)
        # Where each worker writes its stack when it is asked to (`tasks.cluster.stacks`).
        self.stacks = Path(tempfile.mkdtemp(prefix="portal-stacks-"))
        # A worker writes here when it becomes idle, so that the pusher looks at once.
        self.wake_reader, self.wake_writer = os.pipe()
        os.set_blocking(self.wake_reader, False)
        os.set_blocking(self.wake_writer, False)

    # --- The row ----------------------------------------------------------------------------------

    def register(self) -> None:
        """Write the node's row, and those of the duties. Called by the sentinel before it forks."""
        register_duties()
        ClusterRow.objects.get_or_create(name=self.cluster)
        host = socket.gethostname()
        NodeRow.objects.create(
            id=self.id,
            name=settings.NODE_NAME or f"{host}-{self.leader_pid}",
            cluster_id=self.cluster,
            host=host,
            pid=self.leader_pid,
            version=settings.PORTAL_VERSION,
            workers=self.workers,
            threads=settings.WORKER_THREADS,
            runs_functions=functions.are_run_here(),
        )

    def deregister(self) -> None:
        """Return what still runs by the table and mark the node stopped. Called by the sentinel at its end.

        Returned first: what runs on a node that has stopped is taken for lost by the others, and charged.
        If the database is away, they find out by the heartbeat.
        """
        try:
            self._return_running()
            NodeRow.objects.filter(pk=self.id, status__in=(NodeStatus.ALIVE, NodeStatus.DRAINING)).update(
                status=NodeStatus.STOPPED, stopped_at=Now(), beat=F("beat") + 1, running=[]
            )
            self._return_running()
        except (DatabaseError, InterfaceError) as error:
            logger.error("node %s could not sign off: %s", self.id, error)
        finally:
            connections.close_all()
            shutil.rmtree(self.stacks, ignore_errors=True)

    def _return_running(self) -> None:
        for claimed in running_tasks_of(self.id):
            finish_attempt(claimed, returned())

    # --- Ticks, in the sentinel ---------------------------------------------------------------------

    def tick(self, *, stopping: bool) -> None:
        """Interrupt attempts that are due, kill what does not listen or is frozen, note the dead. No database here."""
        header = self.memory.header
        header.ticked_at = time.monotonic()
        if stopping and not header.stopping_since:
            header.stopping_since = time.monotonic()
        # Reaps dead children: a zombie would count as alive.
        children = multiprocessing.active_children()
        for child, why in self._watch.find(children):
            self._kill_frozen(child, why)
        for record in self.memory.records:
            if record.state not in (WorkerState.FREE, WorkerState.DEAD) and not _is_alive(record.pid):
                self._note_death(record)
            if record.state in BUSY:
                self._interrupt_when_due(record)
        if self.memory.stop_overdue(PUSHER_KILL_SECONDS) and header.pusher_pid:
            # It waits for a database that does not answer; django-q2 waits for it without a limit.
            with suppress(ProcessLookupError):
                os.kill(header.pusher_pid, signal.SIGKILL)
            header.pusher_pid = 0

    def _interrupt_when_due(self, record: WorkerRecord) -> None:
        why = self.memory.why_interrupt(record)
        if why == Why.NOTHING:
            return
        now = time.monotonic()
        if not record.interrupted_at:
            record.interrupted_at = now
        with suppress(ProcessLookupError):
            if now - record.interrupted_at > KILL_AFTER_SECONDS:
                logger.warning("worker %s ignores signals: killed (%s)", record.pid, why.name.lower())
                record.killed_for = why
                # Its group: what the handler started (Tesseract, …) must not outlive it.
                os.killpg(record.pid, signal.SIGKILL)
            else:
                os.kill(record.pid, INTERRUPT_SIGNAL)

    def _kill_frozen(self, child: BaseProcess, why: str) -> None:
        """Kill a child that is of no use; django-q2 starts another, and what it had in hand goes back free."""
        logger.warning("process %s is killed and replaced: %s", child.pid, why)
        for record in self.memory.busy():
            if record.pid == child.pid:
                record.killed_for = Why.FROZEN
        child.kill()
        if child.pid:
            # A worker that boots, the pusher and the monitor have no group of their own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)

    def _note_death(self, record: WorkerRecord) -> None:
        if record.state == WorkerState.IDLE:
            clear(record)
            return
        record.had_started = record.state in (WorkerState.RUNNING, WorkerState.FINISHING)
        record.state = WorkerState.DEAD
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(record.pid, signal.SIGKILL)

    # --- In any process -----------------------------------------------------------------------------

    def wake(self) -> None:
        """Make the pusher look again."""
        with suppress(BlockingIOError):
            os.write(self.wake_writer, b"w")

    def wait_for_workers(self) -> None:
        """Wait while a stopping node's workers are busy, or dead and not yet recovered. Bounded.

        For the pusher, where heart and upkeep live: without them the others would take a node with a long grace
        time for lost, and run its tasks a second time beside it.
        """
        unfinished = (*BUSY, WorkerState.DEAD)
        while (
            self.memory.header.stopping_since
            and any(record.state in unfinished for record in self.memory.records)
            and not self.memory.stop_overdue(WORKERS_GONE_SECONDS)
        ):
            time.sleep(0.05)

    def tickets_wanted(self) -> int:
        """Return how many idle workers have no ticket waiting for them."""
        return max(0, self.memory.idle_count() - self.tickets.qsize())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# Set by the sentinel before it forks; None in every process that is no part of a node.
here: Node | None = None
