"""How much waits and runs in each queue, counted no further than a cap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from accounts.models import User
from tasks import sql
from tasks.measures import NOTHING, duration_text
from tasks.sql.index_order import in_index_order
from tasks.statuses import QUEUED, Status

# Reading a hundred thousand narrow rows takes tens of milliseconds; more would be felt by the workers.
CAP = 100_000
# Of each lane and queue, before the rest of the cap is shared out among those that have more.
FEW = 100
UNFINISHED = (Status.WAITING, Status.SCHEDULED, Status.HELD, Status.READY, Status.RUNNING)
# What operators and users are told of; the rest is for monitoring.
IN_LINE = (Status.HELD, Status.READY, Status.RUNNING)
NOT_COUNTED = "not counted"


class DepthRow(NamedTuple):
    queue: str
    status: str
    tasks: int
    oldest_seconds: float
    is_cut: bool


class OwnDepth(NamedTuple):
    queue: str
    queued: int
    running: int
    oldest_seconds: float | None


@dataclass(frozen=True)
class Depth:
    """A queue's tasks by status. The age is of the oldest that is queued: since it was submitted, or its time came.

    Of the statuses in `cut` not all tasks were read: those counts are "at least", and so is the age. Held ones are read
    of each queue; of another status a queue may have many of which none was read.
    """

    tasks: Mapping[Status, int] = field(default_factory=dict)
    oldest_seconds: float | None = None
    cut: frozenset[Status] = frozenset()

    def counted(self, status: Status) -> int | None:
        """Return how many were read; None where others filled the cap before one of this queue was."""
        return self.tasks.get(status, None if status in self.cut else 0)

    @property
    def held(self) -> int:
        return self.tasks.get(Status.HELD, 0)

    @property
    def ready(self) -> int:
        return self.tasks.get(Status.READY, 0)

    @property
    def running(self) -> int:
        return self.tasks.get(Status.RUNNING, 0)

    @property
    def queued(self) -> int:
        return self.held + self.ready

    @property
    def is_partial(self) -> bool:
        """Say whether more is queued, somewhere, than was counted."""
        return not self.cut.isdisjoint(QUEUED)

    @property
    def held_text(self) -> str:
        return at_least(self.held, Status.HELD in self.cut)

    @property
    def ready_text(self) -> str:
        return at_least(self.ready, Status.READY in self.cut)

    @property
    def running_text(self) -> str:
        return at_least(self.running, Status.RUNNING in self.cut)

    @property
    def queued_text(self) -> str:
        return at_least(self.queued, self.is_partial)

    @property
    def oldest_text(self) -> str:
        if self.oldest_seconds is None:
            return NOT_COUNTED if self.is_partial else NOTHING
        return f"{'≥ ' if self.is_partial else ''}{duration_text(self.oldest_seconds)}"


class Depths(dict[str, Depth]):
    """Depths by name of queue. One of whose tasks none was read is not in it; asking for it tells what was cut."""

    def __init__(self, found: Mapping[str, Depth], cut: frozenset[Status]) -> None:
        super().__init__(found)
        self.cut = cut

    def __missing__(self, queue: str) -> Depth:
        return Depth(cut=self.cut)


def queue_depths(statuses: Iterable[Status] = IN_LINE, *, most: int | None = None) -> Depths:
    """Return the depth of each queue: of its tasks of these statuses.

    Args:
        most: how far to count, for who asks again and again; the cap, if that is less.
    """
    cap = CAP if most is None else min(most, CAP)
    asked = {"cap": cap, "few": min(FEW, cap), "statuses": [status.value for status in statuses]}
    with in_index_order():
        rows = sql.run("figures/depths", asked, row=DepthRow)
    totals: Counter[Status] = Counter()
    tasks: dict[str, dict[Status, int]] = {}
    oldest: dict[str, float] = {}
    more_held = {row.queue for row in rows if row.is_cut}
    for row in rows:
        status = Status(row.status)
        if status != Status.HELD:
            totals[status] += row.tasks
        tasks.setdefault(row.queue, {})[status] = row.tasks
        if status in QUEUED:
            oldest[row.queue] = max(0.0, row.oldest_seconds, oldest.get(row.queue, 0.0))
    cut = frozenset(status for status, total in totals.items() if total >= cap)
    return Depths(
        {
            queue: Depth(counts, oldest.get(queue), cut | {Status.HELD} if queue in more_held else cut)
            for queue, counts in tasks.items()
        },
        cut,
    )


def own_depths(user: User) -> dict[str, OwnDepth]:
    """Return how many of a user's tasks are queued and running, by name of queue."""
    rows = sql.run("figures/own_depths", {"owner": user.pk, "cap": CAP}, row=OwnDepth)
    # A clock may have been set back meanwhile.
    return {
        row.queue: row._replace(oldest_seconds=None if row.oldest_seconds is None else max(0.0, row.oldest_seconds))
        for row in rows
    }


def at_least(count: int, is_partial: bool) -> str:
    """Return a count for people.

    >>> at_least(1200, False), at_least(1200, True), at_least(0, True)
    ('1,200', '1,200+', 'not counted')
    """
    if is_partial and not count:
        return NOT_COUNTED
    return f"{count:,}{'+' if is_partial else ''}"
