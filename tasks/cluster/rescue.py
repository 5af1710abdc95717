"""The rescue: a thread of the pusher, with its own connection, that takes back what dead workers and lost nodes ran.

It waits for nobody: were it to share the upkeep's thread, a lane that somebody keeps locked would keep the dead from
being found, and make the heartbeats of other nodes look as if this node itself had been away.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from tasks.cluster.guarded import guarded, wait_briefly_for_locks
from tasks.cluster.node import Node
from tasks.cluster.observer import Observer
from tasks.cluster.shared import Why, WorkerRecord, WorkerState, clear
from tasks.lifecycle import recover
from tasks.lifecycle.recover import Blame

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.25
ROUND_SECONDS = 1.0
# What was claimed together should be over within hundredths of a second; then the rest goes to others.
LONG_SECONDS = 0.1


class Rescue(threading.Thread):
    """Runs until the pusher ends; an error in one step is logged and the others go on."""

    def __init__(self, node: Node) -> None:
        super().__init__(name="rescue", daemon=True)
        self._node = node
        self._observer = Observer(node.id)

    def run(self) -> None:
        wait_briefly_for_locks()
        last_round = 0.0
        while True:
            guarded(self._recover_dead_workers)
            guarded(self._take_back_unstarted)
            if time.monotonic() - last_round >= ROUND_SECONDS:
                last_round = time.monotonic()
                for step in (self._recover_unknown, self._observer.observe, recover.recover_gone_nodes):
                    guarded(step)
            time.sleep(STEP_SECONDS)

    def _recover_dead_workers(self) -> None:
        """Recover workers of which every record is known to be dead: threads die with their worker."""
        by_pid: dict[int, list[WorkerRecord]] = defaultdict(list)
        for record in self._node.memory.records:
            if record.state != WorkerState.FREE:
                by_pid[record.pid].append(record)
        for records in by_pid.values():
            if all(record.state == WorkerState.DEAD for record in records):
                # One that cannot be recovered yet, since somebody holds its task, is no reason for the others to wait.
                guarded(partial(self._recover_dead_worker, records))

    def _recover_dead_worker(self, records: Sequence[WorkerRecord]) -> None:
        recover.recover_worker(self._node.id, {record.token_id: blame for record, blame in blame_for_death(records)})
        for record in records:
            clear(record)
        self._node.wake()

    def _take_back_unstarted(self) -> None:
        """Give back what waits behind a task that takes longer than was thought."""
        now = time.monotonic()
        for record in self._node.memory.busy():
            if record.noted_count > 1 and record.state == WorkerState.RUNNING and now - record.since > LONG_SECONDS:
                recover.give_back(self._node.id, self._node.memory.take_back_unstarted(record))

    def _recover_unknown(self) -> None:
        if count := recover.recover_unknown(self._node.id, self._node.memory.tokens):
            logger.warning("gave back %s tasks: the answer to their claim never arrived", count)


def blame_for_death(records: Sequence[WorkerRecord]) -> list[tuple[WorkerRecord, Blame]]:
    """Return, for each attempt that a worker died with, what is to come of it.

    A task whose worker was killed on purpose answers for that; its neighbours in other threads do not. When the worker
    died by itself, it was the only one that ran, or the one that was under suspicion; the others, or all where nobody
    knows, run alone next time.
    """
    started = [record for record in records if record.had_started]
    suspects = [record for record in started if record.alone] or started
    killed = any(record.killed_for for record in records)

    def blame(record: WorkerRecord) -> Blame:
        if record.killed_for == Why.TIMED_OUT:
            return Blame.TIMED_OUT
        if killed or not record.had_started:
            # Cancelled (which the finish sees by itself), stopping, frozen, a neighbour, or not started at all.
            return Blame.NONE
        return Blame.DIED if suspects == [record] else Blame.UNCLEAR

    return [(record, blame(record)) for record in records]
