"""How much waits and runs in each queue, counted no further than a cap."""

from __future__ import annotations

from dataclasses import dataclass

from tasks import sql
from tasks.admin.formats import capped_text

# Reading a hundred thousand narrow rows takes tens of milliseconds; more would be felt by the workers.
CAP = 100_000


@dataclass(frozen=True)
class Depth:
    """Counts above `CAP` mean "more than"; the age is then of the rows that were read."""

    held: int = 0
    ready: int = 0
    running: int = 0
    oldest_seconds: float | None = None

    @property
    def waiting(self) -> int:
        return self.held + self.ready

    @property
    def waiting_text(self) -> str:
        return capped_text(self.waiting, CAP)


def queue_depths() -> dict[str, Depth]:
    """Return the depth by name of queue; queues where nothing waits or runs are missing."""
    rows = sql.run("queue_depths", {"cap": CAP + 1})
    return {row.queue: Depth(row.held, row.ready, row.running, row.oldest_seconds) for row in rows}
