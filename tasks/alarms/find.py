"""Finds everything that needs a person: for the overview, and for those who are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tasks.alarms import capacity, machine, work
from tasks.alarms.facts import Facts
from tasks.alarms.trouble import Trouble
from tasks.models import AlarmKind

FINDERS: tuple[Callable[[Facts], Iterable[Trouble]], ...] = (
    capacity.no_workers, capacity.nodes, capacity.backends, capacity.queues, capacity.types,
    machine.database, machine.disk, work.failure_rates, work.stopped,
)  # fmt: skip
ORDER = {kind: place for place, kind in enumerate(AlarmKind)}


def find_troubles(facts: Facts) -> list[Trouble]:
    """Return what needs a person, the worst first, and those of one kind together."""
    found = [trouble for find in FINDERS for trouble in find(facts)]
    return sorted(found, key=lambda trouble: (not trouble.is_bad, ORDER[trouble.kind]))
