"""The node's upkeep: a thread of the pusher, with its own connection.

Every node runs every duty, without a leader: a table says when each was last taken, and whoever
takes it runs it. A frozen node holds nothing that the others would wait for.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from tasks import sql
from tasks.cluster.heart import guarded
from tasks.cluster.node import Node
from tasks.cluster.observer import Observer
from tasks.cluster.shared import Why, WorkerRecord, WorkerState, clear
from tasks.lifecycle import recover, sweep

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.25
ROUND_SECONDS = 1.0


class Duties(threading.Thread):
    """Runs until the pusher ends; an error in one duty is logged and the others go on."""

    def __init__(self, node: Node) -> None:
        super().__init__(name="duties", daemon=True)
        self._node = node
        self._observer = Observer(node.id)
        self._duties: dict[str, Callable[[], int]] = sweep.all_duties() | sweep.slow_duties()

    def run(self) -> None:
        last_round = 0.0
        while True:
            guarded(self._recover_dead_workers)
            if time.monotonic() - last_round >= ROUND_SECONDS:
                last_round = time.monotonic()
                for step in (self._recover_unknown, self._observer.observe, self._take_duties):
                    guarded(step)
            time.sleep(STEP_SECONDS)

    # --- This node ----------------------------------------------------------------------------------

    def _recover_dead_workers(self) -> None:
        for record in self._node.memory.records:
            if record.state == WorkerState.DEAD:
                self._recover(record)
                clear(record)
                self._node.wake()

    def _recover(self, record: WorkerRecord) -> None:
        recovered = recover.recover_worker(
            self._node.id,
            token=record.token_id,
            started=bool(record.had_started),
            timed_out=record.killed_for == Why.TIMED_OUT,
            stopping=record.killed_for == Why.STOPPING,
        )
        if recovered:
            logger.warning("worker %s died while it ran %s: recovered", record.pid, record.task_id)

    def _recover_unknown(self) -> None:
        if count := recover.recover_unknown(self._node.id, self._node.memory.tokens):
            logger.warning("%s claims whose answer was lost went back", count)

    # --- The whole installation ---------------------------------------------------------------------

    def _take_duties(self) -> None:
        for row in sql.run("take_duties", {"names": list(self._duties)}):
            guarded(self._duties[row.name])
