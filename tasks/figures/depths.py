"""How much waits and runs in each queue, counted no further than a cap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tasks import sql

# Reading a hundred thousand narrow rows takes tens of milliseconds; more would be felt by the workers.
CAP = 100_000


class QueueDepth(NamedTuple):
    """What is held, ready and running in a queue; the age is of the oldest that waits."""

    queue: str
    held: int
    ready: int
    running: int
    oldest_seconds: float | None


@dataclass(frozen=True)
class Depth:
    """With `is_partial` not all held tasks were read: the counts are "at least", the age is of those read."""

    held: int = 0
    ready: int = 0
    running: int = 0
    oldest_seconds: float | None = None
    is_partial: bool = False

    @property
    def waiting(self) -> int:
        return self.held + self.ready

    @property
    def held_text(self) -> str:
        return at_least(self.held, self.is_partial)

    @property
    def waiting_text(self) -> str:
        return at_least(self.waiting, self.is_partial)


def queue_depths() -> dict[str, Depth]:
    """Return the depth by name of queue; queues where nothing waits or runs are missing."""
    rows = sql.run("figures/queue_depths", {"cap": CAP}, row=QueueDepth)
    is_partial = sum(row.held for row in rows) >= CAP
    return {row.queue: Depth(row.held, row.ready, row.running, row.oldest_seconds, is_partial) for row in rows}


def at_least(count: int, is_partial: bool) -> str:
    """Return a count for people.

    >>> at_least(1200, False), at_least(1200, True)
    ('1,200', '1,200+')
    """
    return f"{count:,}{'+' if is_partial else ''}"
