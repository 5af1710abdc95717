"""How the whole installation is, for monitoring: counts and times of all users together, and nothing of anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from django.db.models.functions import Now

from tasks import sql
from tasks.backends.figures import health_of
from tasks.figures.bounded import bounded_queries
from tasks.figures.clusters import ClusterFigures, read_clusters
from tasks.figures.depths import CAP, UNFINISHED, Depth, queue_depths
from tasks.models import AttemptCount, Backend, PausedType, Queue
from tasks.registry import every_type


class DatabaseFigures(NamedTuple):
    """`settlements` are counted no further than CAP; the age is of the oldest, 0 where there is none."""

    bytes: int
    settlements: int
    oldest_seconds: float


class BusyBackend(NamedTuple):
    backend: int
    busy: int


@dataclass(frozen=True)
class QueueFigures:
    """A queue with the tasks in it that have not ended."""

    name: str
    is_paused: bool
    depth: Depth


@dataclass(frozen=True)
class ServerFigures:
    """A model server; `health` is a word of `backends.figures.health_of`."""

    kind: str
    name: str
    health: str
    busy: int
    most_calls: int


@dataclass(frozen=True)
class SystemFigures:
    """`attempts` rise with the roll-up of usage, minutes behind; `types` are all task types: whether each is paused."""

    queues: list[QueueFigures]
    types: dict[str, bool]
    clusters: list[ClusterFigures]
    servers: list[ServerFigures]
    attempts: list[AttemptCount]
    settlements: int
    settlement_seconds: float
    database_bytes: int


def read_system() -> SystemFigures:
    """Read all figures in a handful of statements; each looks at what has not ended, or at rows of sums.

    Raises:
        django.db.DatabaseError: no database, or it took longer than five seconds for one of them.
    """
    with bounded_queries(by_index=True):
        [database] = sql.run("figures/database_figures", {"cap": CAP}, row=DatabaseFigures)
        return SystemFigures(
            queues=_queues(),
            types=_types(),
            clusters=read_clusters(),
            servers=_servers(),
            attempts=list(AttemptCount.objects.order_by("type", "outcome")),
            settlements=database.settlements,
            settlement_seconds=database.oldest_seconds,
            database_bytes=database.bytes,
        )


def _queues() -> list[QueueFigures]:
    depths = queue_depths(UNFINISHED)
    return [
        QueueFigures(name=queue.name, is_paused=queue.paused_at is not None, depth=depths[queue.name])
        for queue in Queue.objects.order_by("name")
    ]


def _types() -> dict[str, bool]:
    paused = PausedType.objects.values_list("type", flat=True)
    return {definition.name: False for definition in every_type()} | dict.fromkeys(paused, True)


def _servers() -> list[ServerFigures]:
    busy = dict(sql.run("backends/backend_busy", {}, row=BusyBackend))
    return [
        ServerFigures(
            kind=backend.kind,
            name=backend.name,
            health=health_of(backend, backend.now),
            busy=busy.get(backend.pk, 0),
            most_calls=backend.most_calls,
        )
        for backend in Backend.objects.annotate(now=Now()).order_by("kind", "name", "pk")
    ]
