"""Finds the processes of a node that somebody stopped (SIGSTOP, a debugger), and workers that never get ready.

A time limit alone cannot tell a stopped process from one that gets no CPU; the kernel can. Time is counted in
looks, not by the clock: a machine so slow that a worker needs a minute to boot also looks seldom, and a node that was
frozen as a whole does not find any of its processes stopped for long.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from multiprocessing.process import BaseProcess

import psutil

from tasks.cluster.shared import SharedMemory, WorkerState

LOOK_SECONDS = 1.0
# Looks in a row: long enough for somebody who stops a worker to inspect it and let it go on.
STOPPED_LOOKS = 10
BOOT_LOOKS = 60
STOPPED = (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)


class Watch:
    """Looks after the sentinel's children: workers, pusher and monitor."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self._looked_at = 0.0
        # How often in a row, by the name that django-q2 gives each process: numbers of processes come again.
        self._stopped: dict[str, int] = {}
        self._booting: dict[str, int] = {}

    def find(self, children: Iterable[BaseProcess]) -> list[tuple[BaseProcess, str]]:
        """Return who is to be killed, and why; nobody when the last look was a moment ago.

        A stopped worker whose handler runs is left to the deadline of its task, which is charged for it: killed free of
        charge, a handler that stops its own process would come back for ever.
        """
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return []
        self._looked_at = now
        states: dict[int, set[int]] = {}
        for record in self._memory.records:
            if record.state != WorkerState.FREE:
                states.setdefault(record.pid, set()).add(record.state)
        stopped, booting = {}, {}
        found = []
        for child in children:
            own = states.get(child.pid or 0, set())
            if WorkerState.RUNNING not in own and _is_stopped(child):
                stopped[child.name] = self._stopped.get(child.name, 0) + 1
            elif not own and _is_worker(child):
                booting[child.name] = self._booting.get(child.name, 0) + 1
            if stopped.get(child.name, 0) >= STOPPED_LOOKS:
                found.append((child, "it was stopped"))
            elif booting.get(child.name, 0) >= BOOT_LOOKS:
                found.append((child, "it did not get ready"))
        self._stopped, self._booting = stopped, booting
        return found


def _is_worker(child: BaseProcess) -> bool:
    # django-q2 gives a timer to workers only.
    return hasattr(child, "timer")


def _is_stopped(child: BaseProcess) -> bool:
    try:
        return psutil.Process(child.pid).status() in STOPPED
    except psutil.Error:
        return False
