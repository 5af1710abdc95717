"""Watches the heartbeats of the other nodes, by this node's own clock."""

from __future__ import annotations

import time
from uuid import UUID

from tasks.lifecycle import recover
from tasks.models import Node
from tasks.models.node import NodeStatus

LOST_AFTER_SECONDS = 15.0
# A longer gap between two looks means that this node itself was away: what it saw before is void.
CONNECTED_GAP_SECONDS = 4.0


class Observer:
    """Declares a node lost when its heartbeat stayed the same for 15 s of *connected* observing.

    After an outage of the database every heartbeat is old and nobody is dead.
    """

    def __init__(self, node: UUID) -> None:
        self._node = node
        self._seen: dict[UUID, tuple[int, float]] = {}
        self._looked_at = 0.0

    def observe(self) -> None:
        """Look once; called every second or so."""
        alive = Node.objects.filter(status__in=(NodeStatus.ALIVE, NodeStatus.DRAINING)).exclude(pk=self._node)
        beats = dict(alive.values_list("id", "beat"))
        now = time.monotonic()
        if now - self._looked_at > CONNECTED_GAP_SECONDS:
            self._seen = {}
        self._looked_at = now
        for node, beat in beats.items():
            before = self._seen.get(node)
            if before is None or before[0] != beat:
                self._seen[node] = (beat, now)
            elif now - before[1] > LOST_AFTER_SECONDS:
                recover.declare_lost(node, beat=beat)
        self._seen = {node: seen for node, seen in self._seen.items() if node in beats}
