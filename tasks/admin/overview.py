"""The overview: is all well; if not, why, and where it is mended. Read once for all who look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy

from tasks.alarms.facts import read_facts
from tasks.alarms.find import find_troubles
from tasks.alarms.trouble import Trouble
from tasks.figures.bounded import bounded_queries
from tasks.figures.depths import Depth, at_least
from tasks.figures.ended import Ended
from tasks.figures.nodes import CURRENT, last_words, load_text, standing_of
from tasks.kept import kept
from tasks.models import Lane, Node, Queue
from tasks.models.node import NodeStatus
from tasks.operations.action import Words
from tasks.ui.sentences import in_language

# Every operator has the page open, and it renews itself: the database is asked once in this time, in each process.
KEPT_SECONDS = 3.0
MOST_FULL_LANES = 10
# Of one kind, before the rest is a line with its number.
MOST_ALARMS = 3


@dataclass(frozen=True)
class Period:
    """What ended in the last hour or day."""

    label: Words
    ended: Ended


@dataclass(frozen=True)
class Line:
    """One queue with its depth."""

    queue: Queue
    depth: Depth


class NodeLine(NamedTuple):
    """A node, and how it is."""

    node: Node
    standing: str

    @property
    def load(self) -> str:
        """How busy it is, or what it ran when it was last heard of: in the language of who reads what was kept."""
        return in_language(last_words(self.node)) if self.node.status == NodeStatus.LOST else load_text(self.node)


class More(NamedTuple):
    """So many more alarms of the kind of the one before."""

    number: int
    kind: str


@dataclass(frozen=True)
class Overview:
    lines: Sequence[Line]
    nodes: Sequence[NodeLine]
    periods: Sequence[Period]
    full_lanes: Sequence[Lane]
    alarms: Sequence[Trouble]
    read_at: datetime = field(default_factory=timezone.now)

    @property
    def running(self) -> int:
        return sum(line.depth.running for line in self.lines)

    @property
    def waiting(self) -> int:
        return sum(line.depth.queued for line in self.lines)

    @property
    def waiting_text(self) -> str:
        return at_least(self.waiting, any(line.depth.is_partial for line in self.lines))

    @property
    def hour(self) -> Ended:
        return self.periods[0].ended

    @property
    def worker_count(self) -> int:
        return sum(node.workers for node in self._working)

    @property
    def busy_count(self) -> int:
        """How many workers, which are processes, run something."""
        return sum(node.busy_workers for node in self._working)

    @property
    def fresh_nodes(self) -> int:
        return sum(line.standing in CURRENT for line in self.nodes)

    @property
    def lost_nodes(self) -> int:
        return sum(line.standing not in CURRENT for line in self.nodes)

    @property
    def urgent_count(self) -> int:
        return sum(alarm.is_bad for alarm in self.alarms)

    @property
    def shown_alarms(self) -> list[Trouble | More]:
        """The first few of each kind, and how many more there are."""
        shown: list[Trouble | More] = []
        for _, group in groupby(self.alarms, key=lambda alarm: (alarm.is_bad, alarm.kind)):
            alarms = list(group)
            shown += alarms[:MOST_ALARMS]
            if len(alarms) > MOST_ALARMS:
                shown.append(More(len(alarms) - MOST_ALARMS, str(alarms[0].kind.label)))
        return shown

    @property
    def _working(self) -> list[Node]:
        return [line.node for line in self.nodes if line.standing == NodeStatus.ALIVE]


@kept(seconds=KEPT_SECONDS, has_words=True)
def overview() -> Overview:
    """Read everything the overview shows, as it was at most three seconds ago.

    Raises:
        django.db.OperationalError: the database is away, or a statement took longer than five seconds.
    """
    facts = read_facts()
    with bounded_queries():
        full_lanes = list(_full_lanes())
    return Overview(
        lines=[Line(queue, facts.depths[queue.pk]) for queue in facts.queues],
        nodes=[NodeLine(node, standing_of(node, facts.now)) for node in facts.nodes],
        periods=[
            Period(gettext_lazy("Last hour"), facts.lately.hour),
            Period(gettext_lazy("Last day"), facts.lately.day),
        ],
        full_lanes=full_lanes,
        alarms=find_troubles(facts),
    )


def _full_lanes() -> Any:
    full = Lane.objects.filter(taken__gte=F("slots"), slots__gt=0)
    return full.select_related("user", "cluster").order_by("-taken")[:MOST_FULL_LANES]
