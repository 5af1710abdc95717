"""The broker: gives django-q2's pusher tickets, as many as workers are idle and tasks are ready.

A ticket names no task. The worker takes the task at the moment it starts, from our tables, so order
is decided as late as possible, and a ticket that is lost or doubled is harmless.
"""

from __future__ import annotations

import logging
import os
import time
from multiprocessing.synchronize import Event
from typing import Any, NamedTuple

from django.db import connection
from django_q.brokers import Broker
from django_q.signing import SignedPackage

from tasks import sql
from tasks.cluster.django_q.tickets import ticket
from tasks.cluster.heartbeat import Heart
from tasks.cluster.listener import Line
from tasks.cluster.maintenance import Maintenance
from tasks.cluster.node import Node
from tasks.cluster.orphans import die_with_parent
from tasks.cluster.rescue import Rescue
from tasks.direct import leave_former_primary
from tasks.functions import allowed as functions

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
RETRY_SECONDS = 0.5


class CountedReady(NamedTuple):
    ready: int


class TicketBroker(Broker):  # type: ignore[misc]  # django-q2 has no types
    """`dequeue` runs in the pusher, `set_stat` in the sentinel; a node's other processes call neither."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self._node: Node | None = None
        self._stop_event: Event | None = None
        self._line: Line | None = None
        self._maintenance: Maintenance | None = None
        self._payload = ""

    def join_node(self, node: Node, stop_event: Event) -> None:
        """Tie the broker to its node. Called by the sentinel before it forks."""
        self._node = node
        self._stop_event = stop_event
        self._payload = SignedPackage.dumps(ticket())

    # --- In the pusher ------------------------------------------------------------------------------

    def dequeue(self) -> list[tuple[None, str]] | None:
        """Wait a moment for work; return tickets, or None. Never raises: that would end the pusher for 10 s."""
        if self._node is None:
            time.sleep(POLL_SECONDS)
            return None
        try:
            tickets = self._take_tickets(self._node)
            # After the wait for work, in which the stop may have come: the pusher ends when this returns.
            self._node.wait_for_workers()
            return tickets
        except Exception:
            logger.exception("the pusher could not ask for ready tasks")
            connection.close()
            self._line = None
            time.sleep(RETRY_SECONDS)
            return None

    def _take_tickets(self, node: Node) -> list[tuple[None, str]] | None:
        if self._maintenance is None:
            die_with_parent()
            node.memory.header.pusher_pid = os.getpid()
            Heart(node).start()
            Rescue(node).start()
            self._maintenance = Maintenance()
            self._maintenance.start()
        if self._line is None:
            self._line = Line(node)
        if not node.memory.takes_work():
            time.sleep(0.05)
            return None
        wanted = node.tickets_wanted()
        found = 0
        if wanted:
            threads = node.memory.has_free_threads()
            asked = {
                "cluster": node.cluster,
                "node": node.id,
                "limit": wanted,
                "threads": threads,
                "functions": functions.are_run_here(),
            }
            [counted] = sql.run("cluster/count_ready", asked, row=CountedReady)
            found = counted.ready
            # It only reads, and would go on finding nothing where nothing happens any more.
            leave_former_primary(connection.connection)
        if not found and self._line.wait(POLL_SECONDS):
            # Somebody is waiting: one worker looks at once, and whether there is more is counted afterwards.
            found = min(1, node.tickets_wanted() if node.memory.takes_work() else 0)
        return [(None, self._payload)] * found or None

    # --- In the sentinel ----------------------------------------------------------------------------

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Called every guard cycle: the node's tick."""
        if self._node is not None and self._stop_event is not None:
            self._node.tick(stopping=self._stop_event.is_set())

    # --- What a cluster does not need ---------------------------------------------------------------

    def enqueue(self, task: Any) -> None:
        """Refuse: django-q2's own `async_task` would bypass lanes, limits and the audit.

        Raises:
            TypeError: always; submit with `tasks.lifecycle.submit.submit_task`.
        """
        raise TypeError("Submit through tasks.lifecycle.submit.submit_task: django-q2 carries tickets only.")

    def ping(self) -> bool:
        return True

    def info(self) -> str:
        return "Portal tickets over Postgres"

    def get_stat(self, key: str) -> None:
        return None

    def get_stats(self, pattern: str) -> list[Any]:
        return []

    @staticmethod
    def get_cache() -> None:
        return None
