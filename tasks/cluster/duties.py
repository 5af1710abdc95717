"""The upkeep of the whole installation: a thread of the pusher, with its own connection.

Every node runs every duty, without a leader: a table says when each was last taken, and whoever
takes it runs it. A frozen node holds nothing that the others would wait for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tasks import sql
from tasks.cluster.guarded import guarded, wait_briefly_for_locks
from tasks.lifecycle import sweep

STEP_SECONDS = 0.25


class Duties(threading.Thread):
    """Runs until the pusher ends; an error in one duty is logged and the others go on."""

    def __init__(self) -> None:
        super().__init__(name="duties", daemon=True)
        self._duties: dict[str, Callable[[], int]] = sweep.all_duties() | sweep.slow_duties()

    def run(self) -> None:
        wait_briefly_for_locks()
        while True:
            guarded(self._take_duties)
            time.sleep(STEP_SECONDS)

    def _take_duties(self) -> None:
        for row in sql.run("take_duties", {"names": list(self._duties)}):
            guarded(self._duties[row.name])
