"""The node's upkeep: a thread of the pusher, with its own connection.

Every node runs every duty, without a leader: a table says when each was last taken, and whoever
takes it runs it. A frozen node holds nothing that the others would wait for.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import cast
from uuid import UUID

import psutil
from django.db import connection
from psycopg.types.json import Jsonb

from tasks import sql
from tasks.cluster.node import Node
from tasks.cluster.observer import Observer
from tasks.cluster.orphans import orphaned
from tasks.cluster.shared import Why, WorkerRecord, WorkerState, clear
from tasks.lifecycle import recover, sweep
from tasks.models import Task
from tasks.statuses import Status

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.25
BEAT_SECONDS = 1.0
STUCK_SECONDS = 15.0


class Duties(threading.Thread):
    """Runs until the pusher ends; an error in one duty is logged and the others go on."""

    def __init__(self, node: Node) -> None:
        super().__init__(name="duties", daemon=True)
        self._node = node
        self._observer = Observer(node.id)
        self._ticked_at = 0.0
        self._steps_without_tick = 0
        self._duties: dict[str, Callable[[], int]] = sweep.all_duties() | sweep.slow_duties()

    def run(self) -> None:
        last_beat = 0.0
        while True:
            self._watch_sentinel()
            self._guarded(self._recover_dead_workers)
            if time.monotonic() - last_beat >= BEAT_SECONDS:
                last_beat = time.monotonic()
                for step in (
                    self._beat,
                    self._cancel_own,
                    self._recover_unknown,
                    self._observer.observe,
                    self._take_duties,
                ):
                    self._guarded(step)
            time.sleep(STEP_SECONDS)

    def _guarded(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:
            logger.exception("%s failed; it is tried again", getattr(step, "__name__", step))
            connection.close()

    # --- This node ----------------------------------------------------------------------------------

    def _beat(self) -> None:
        now = time.monotonic()
        running = [
            {"pid": record.pid, "task": str(record.task_id), "since_seconds": round(now - record.since, 1)}
            for record in self._node.memory.records
            if record.state == WorkerState.RUNNING
        ]
        row = sql.run_one(
            "beat",
            {
                "node": self._node.id,
                "running": Jsonb(running),
                "cpu": psutil.cpu_percent(),
                "memory": psutil.virtual_memory().percent,
            },
        )
        if row is None and self._node.memory.may_claim:
            logger.critical("this node was declared lost while it was away: it ends itself")
            self._node.memory.header.superseded = 1
            os.kill(self._node.leader_pid, signal.SIGTERM)

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

    def _cancel_own(self) -> None:
        asked = Task.objects.filter(node=self._node.id, status=Status.RUNNING, cancel_requested_at__isnull=False)
        for token in asked.exclude(token=None).values_list("token", flat=True):
            self._node.memory.request_cancel(cast(UUID, token))

    def _watch_sentinel(self) -> None:
        if orphaned():
            os._exit(1)
        # A worker killed inside django-q2's timer lock leaves the sentinel waiting for it for ever. Counted in
        # our own steps, not by the clock: when the whole node was frozen, nobody hangs.
        ticked_at = self._node.memory.header.ticked_at
        self._steps_without_tick = self._steps_without_tick + 1 if ticked_at == self._ticked_at else 0
        self._ticked_at = ticked_at
        if self._steps_without_tick * STEP_SECONDS > STUCK_SECONDS:
            logger.critical("the sentinel hangs: it is killed, and the node with it")
            os.kill(self._node.sentinel_pid, signal.SIGKILL)

    # --- The whole installation ---------------------------------------------------------------------

    def _take_duties(self) -> None:
        for row in sql.run("take_duties", {"names": list(self._duties)}):
            self._guarded(self._duties[row.name])
