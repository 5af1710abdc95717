"""A worker's threads: they run tasks that mostly wait for somebody else, beside the worker's own work."""

from __future__ import annotations

import logging
import os
import threading
import time
from uuid import UUID, uuid4

from django.db import DatabaseError, InterfaceError, connection, connections

from tasks.cluster.interrupts import ThreadInterrupts
from tasks.cluster.node import Node
from tasks.cluster.orphans import orphaned
from tasks.cluster.recorder import Recorder
from tasks.cluster.shared import WorkerRecord, WorkerState, clear
from tasks.lifecycle.claim import Claimed, claim_tasks
from tasks.lifecycle.finish import Ended
from tasks.lifecycle.run import record_end, run_handler
from tasks.sql.turns import SharedConnections, database_turn, share_connections

logger = logging.getLogger(__name__)

# How often a worker that is busy itself looks for work for its threads.
BESIDE_SECONDS = 0.2
TROUBLE_SECONDS = 1.0
# How long an end waits for others, to be recorded in the same commit.
KEEP_SECONDS = 0.002


class Threads:
    """At most `most` at once; each has a record of its own in the node's memory."""

    def __init__(self, here: Node, most: int, shared: SharedConnections) -> None:
        self._node = here
        self._most = most
        self._shared = shared
        self._recorder = Recorder(shared, keep_seconds=KEEP_SECONDS)
        self._running: dict[threading.Thread, ThreadInterrupts | None] = {}
        self._claiming = threading.Lock()
        self._is_closed = False

    @property
    def free_count(self) -> int:
        return self._most - sum(thread.is_alive() for thread in list(self._running))

    def start(self, claimed: Claimed, record: WorkerRecord | None = None) -> None:
        """Run a claimed task in a new thread. Its record, a new one or that given, is written before this returns."""
        record = record or self._node.memory.take_record(is_thread=True)
        record.begin(claimed.token, claimed.id, timeout_seconds=claimed.timeout_seconds, alone=claimed.alone)

        def run() -> None:
            share_connections(self._shared)
            interrupts = ThreadInterrupts(self._node.memory, record, threading.get_ident())
            self._running[thread] = interrupts
            try:
                self._record(run_handler(claimed, interrupts))
            except BaseException:
                # The node finds a running task that nobody knows any more, and returns it.
                logger.exception("the thread that ran task %s failed", claimed.id)
            finally:
                interrupts.close()
                connections.close_all()
                clear(record)
                self._running.pop(thread, None)
                self._node.wake()

        # A daemon: it must not keep a worker that is told to end.
        thread = threading.Thread(target=run, name=f"task-{claimed.id}", daemon=True)
        self._running[thread] = None
        try:
            thread.start()
        except RuntimeError:
            del self._running[thread]
            clear(record)
            raise

    def _record(self, ended: Ended | None) -> None:
        if ended is None:
            return
        if len(self._running) == 1:
            record_end(ended)
        else:
            # Its neighbours may end in the same moment.
            self._recorder.keep_and_wait(ended)

    def deliver_interrupts(self) -> None:
        """Interrupt the threads that are due. Called in the main thread's signal handler."""
        for interrupts in list(self._running.values()):
            if interrupts is not None:
                interrupts.deliver()

    def join(self) -> None:
        """Start no more, and wait until all have ended; the sentinel interrupts and kills what does not."""
        with self._claiming:
            self._is_closed = True
        for thread in list(self._running):
            while thread.is_alive():
                # In steps: signals are handled between them.
                thread.join(0.1)

    def claim_beside(self, worker: WorkerRecord) -> None:
        """Claim work that waits, while the worker itself is busy with other work. Runs in a thread of its own."""
        share_connections(self._shared)
        while True:
            time.sleep(BESIDE_SECONDS)
            try:
                with self._claiming:
                    self._claim_one(worker)
            except Exception:
                logger.exception("could not claim work for the threads")
                time.sleep(TROUBLE_SECONDS)

    def _claim_one(self, worker: WorkerRecord) -> None:
        is_busy = worker.state == WorkerState.RUNNING and time.monotonic() - worker.since > BESIDE_SECONDS
        memory = self._node.memory
        if self._is_closed or not is_busy or self.free_count <= 0 or not memory.takes_work() or orphaned():
            return
        record = memory.take_record(is_thread=True)
        token = uuid4()
        record.note([token])
        record.state = WorkerState.CLAIMING
        try:
            with database_turn():
                claimed = self._claim(token)
        except BaseException:
            # Were it claimed all the same, the node would find a running task that nobody knows, and return it.
            clear(record)
            raise
        if claimed:
            self.start(claimed[0], record)
        else:
            clear(record)

    def _claim(self, token: UUID) -> list[Claimed]:
        node = self._node
        try:
            return claim_tasks(cluster=node.cluster, node=node.id, pid=os.getpid(), tokens=[token], main=False)
        except (DatabaseError, InterfaceError):
            connection.close()
            raise
