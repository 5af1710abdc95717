"""The upkeep of the whole installation: a thread of the pusher, with its own connection.

Every node runs every duty, without a leader: a table says when each was last taken, and whoever
takes it runs it. A frozen node holds nothing that the others would wait for.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from tasks import sql
from tasks.cluster.guarded import guarded, wait_briefly_for_locks
from tasks.duties import all_duties
from tasks.models import Duty as DutyRow

STEP_SECONDS = 0.25


class TakenDuty(NamedTuple):
    name: str


def register_duties() -> None:
    """Write the rows of the duties that this version knows; how often each is due is what its code says."""
    # In the order of their names: nodes of two versions that start at once lock these rows in one order.
    rows = [DutyRow(name=name, every_seconds=duty.every_seconds) for name, duty in sorted(all_duties().items())]
    DutyRow.objects.bulk_create(rows, update_conflicts=True, unique_fields=["name"], update_fields=["every_seconds"])


class Maintenance(threading.Thread):
    """Runs until the pusher ends; an error in one duty is logged and the others go on."""

    def __init__(self) -> None:
        super().__init__(name="maintenance", daemon=True)
        self._duties = all_duties()

    def run(self) -> None:
        wait_briefly_for_locks()
        while True:
            guarded(self._take_duties)
            time.sleep(STEP_SECONDS)

    def _take_duties(self) -> None:
        for row in sql.run("cluster/take_duties", {"names": list(self._duties)}, row=TakenDuty):
            guarded(self._duties[row.name].run)
