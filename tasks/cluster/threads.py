"""A worker's threads: they run tasks that mostly wait for somebody else, beside the worker's own work."""

from __future__ import annotations

import logging
import threading

from django.db import connections

from tasks.cluster.interrupts import ThreadInterrupts
from tasks.cluster.node import Node
from tasks.cluster.shared import clear
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.run import run_attempt
from tasks.sql.turns import SharedConnections, share_connections

logger = logging.getLogger(__name__)

SHARED_CONNECTIONS = 4


class Threads:
    """At most `most` at once; each has a record of its own in the node's memory. Used by the main thread only."""

    def __init__(self, here: Node, most: int) -> None:
        self._node = here
        self._most = most
        self._shared = SharedConnections(SHARED_CONNECTIONS)
        self._running: dict[threading.Thread, ThreadInterrupts | None] = {}

    @property
    def free_count(self) -> int:
        return self._most - sum(thread.is_alive() for thread in list(self._running))

    @property
    def busy_count(self) -> int:
        return self._most - self.free_count

    def start(self, claimed: Claimed) -> None:
        """Run a claimed task in a new thread. The record is written before this returns."""
        record = self._node.memory.take_record(is_thread=True)
        record.begin(claimed.token, claimed.id, timeout_seconds=claimed.timeout_seconds, alone=claimed.alone)

        def run() -> None:
            share_connections(self._shared)
            interrupts = ThreadInterrupts(self._node.memory, record, threading.get_ident())
            self._running[thread] = interrupts
            try:
                run_attempt(claimed, interrupts)
            except BaseException:
                # The node finds a running task that nobody knows any more, and returns it.
                logger.exception("a thread lost its grip on %s", claimed.id)
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

    def deliver_interrupts(self) -> None:
        """Interrupt the threads that are due. Called in the main thread's signal handler."""
        for interrupts in list(self._running.values()):
            if interrupts is not None:
                interrupts.deliver()

    def join(self) -> None:
        """Wait until all have ended; the sentinel interrupts and kills what does not."""
        for thread in list(self._running):
            while thread.is_alive():
                # In steps: signals are handled between them.
                thread.join(0.1)
