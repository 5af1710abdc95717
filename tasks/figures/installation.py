"""How the whole installation is, for monitoring: counts and times of all users together, and nothing of anybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models.functions import Now

from tasks import sql
from tasks.backends.figures import health_of
from tasks.models import AttemptCount, Backend, Queue
from tasks.models.node import HEARTBEAT_SECONDS
from tasks.statuses import QUEUED, Status

# As the operators' screens: reading more narrow rows than this would be felt by the workers.
CAP = 100_000
STATEMENT_MS = 5_000
UNFINISHED = (Status.WAITING, Status.SCHEDULED, Status.HELD, Status.READY, Status.RUNNING)


class DatabaseFigures(NamedTuple):
    """`settlements` are counted no further than CAP; the age is of the oldest, 0 where there is none."""

    bytes: int
    settlements: int
    oldest_seconds: float


class ClusterFigures(NamedTuple):
    """Nodes of a cluster by how they are; workers are those that take work, `busy` how many of them have some."""

    cluster: str
    alive: int
    draining: int
    silent: int
    lost: int
    throttled: int
    workers: int
    busy: int


class TaskCount(NamedTuple):
    queue: str
    status: str
    tasks: int
    oldest_seconds: float


class BusyBackend(NamedTuple):
    backend: int
    busy: int


@dataclass(frozen=True)
class QueueFigures:
    """Tasks that have not ended by status, each counted no further than CAP; the age is of the oldest queued one."""

    name: str
    is_paused: bool
    tasks: dict[str, int]
    oldest_seconds: float


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
    """`attempts` rise with the roll-up of usage, minutes behind."""

    queues: list[QueueFigures]
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
    with _bounded():
        [database] = sql.run("figures/database_figures", {"cap": CAP}, row=DatabaseFigures)
        return SystemFigures(
            queues=_queues(),
            clusters=sql.run("figures/node_figures", {"heartbeat": HEARTBEAT_SECONDS}, row=ClusterFigures),
            servers=_servers(),
            attempts=list(AttemptCount.objects.order_by("type", "outcome")),
            settlements=database.settlements,
            settlement_seconds=database.oldest_seconds,
            database_bytes=database.bytes,
        )


@contextmanager
def _bounded() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Ended tasks outnumber the others a thousandfold: no statistics may talk anybody into reading them.
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true), set_config('enable_seqscan', 'off', true)",
                [str(STATEMENT_MS)],
            )
        yield


def _queues() -> list[QueueFigures]:
    rows = {(row.queue, row.status): row for row in sql.run("figures/task_counts", {"cap": CAP}, row=TaskCount)}
    return [
        QueueFigures(
            name=queue.name,
            is_paused=queue.paused_at is not None,
            tasks={
                status: rows[queue.name, status].tasks if (queue.name, status) in rows else 0 for status in UNFINISHED
            },
            oldest_seconds=max(
                (rows[queue.name, status].oldest_seconds for status in QUEUED if (queue.name, status) in rows),
                default=0.0,
            ),
        )
        for queue in Queue.objects.order_by("name")
    ]


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
