"""The node's heart: a thread of the pusher, with its own connection, that nothing else can hold up.

Were it to share the upkeep's thread, one lane that somebody keeps locked would stop the heartbeat, and
the other nodes would take this one's tasks away.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import cast
from uuid import UUID

import psutil
from django.conf import settings
from psycopg.types.json import Jsonb

from tasks import sql
from tasks.backends import directory
from tasks.cluster.guarded import guarded
from tasks.cluster.node import Node
from tasks.cluster.orphans import orphaned
from tasks.cluster.shared import WorkerState
from tasks.cluster.throttle import Throttle
from tasks.models import Task
from tasks.statuses import Status

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.25
BEAT_SECONDS = 1.0
# Each node for itself: others' environments may name other model servers.
NAME_SECONDS = 30.0
STUCK_SECONDS = 15.0


class Heart(threading.Thread):
    """Beats, notes cancellations, and watches the sentinel, until the pusher ends."""

    def __init__(self, node: Node) -> None:
        super().__init__(name="heart", daemon=True)
        self._node = node
        self._ticked_at = 0.0
        self._steps_without_tick = 0
        self._throttle = Throttle(
            cpu_limit=settings.THROTTLE_CPU_PERCENT, memory_limit=settings.THROTTLE_MEMORY_PERCENT
        )

    def run(self) -> None:
        last_beat = last_named = 0.0
        while True:
            self._watch_sentinel()
            if time.monotonic() - last_named >= NAME_SECONDS:
                last_named = time.monotonic()
                guarded(directory.name_environment)
            if time.monotonic() - last_beat >= BEAT_SECONDS:
                last_beat = time.monotonic()
                guarded(self._beat)
                guarded(self._cancel_own)
            time.sleep(STEP_SECONDS)

    def _beat(self) -> None:
        now = time.monotonic()
        running = [
            {
                "pid": record.pid,
                "task": str(record.task_id),
                "since_seconds": round(now - record.since, 1),
                "thread": bool(record.is_thread),
            }
            for record in self._node.memory.records
            if record.state in (WorkerState.RUNNING, WorkerState.FINISHING)
        ]
        cpu, memory = psutil.cpu_percent(), psutil.virtual_memory().percent
        throttled = self._throttle.update(cpu=cpu, memory=memory)
        self._node.memory.header.throttled = throttled
        beats = sql.count(
            "cluster/beat",
            {
                "node": self._node.id,
                "running": Jsonb(running),
                "cpu": cpu,
                "memory": memory,
                "throttled": throttled,
            },
        )
        if not beats and self._node.memory.may_claim:
            logger.critical("this node was declared lost while it was away: it ends itself")
            self._node.memory.header.superseded = 1
            os.kill(self._node.leader_pid, signal.SIGTERM)

    def _cancel_own(self) -> None:
        asked = Task.objects.filter(node=self._node.id, status=Status.RUNNING, cancel_requested_at__isnull=False)
        for token in asked.exclude(token=None).values_list("token", flat=True):
            self._node.memory.request_cancel(cast(UUID, token))

    def _watch_sentinel(self) -> None:
        if orphaned():
            os._exit(1)
        # A process killed inside a lock of django-q2's (its stop event has one) leaves the sentinel waiting for ever.
        # Counted in our own steps, not by the clock: when the whole node was frozen, nobody hangs.
        ticked_at = self._node.memory.header.ticked_at
        self._steps_without_tick = self._steps_without_tick + 1 if ticked_at == self._ticked_at else 0
        self._ticked_at = ticked_at
        if self._steps_without_tick * STEP_SECONDS > STUCK_SECONDS:
            logger.critical("the sentinel hangs: it is killed, and the node with it")
            os.kill(self._node.sentinel_pid, signal.SIGKILL)
