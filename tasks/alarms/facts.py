"""What alarms are made of: all is read here, in a handful of statements, each bounded whatever the tables hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models.functions import Now
from django.utils import timezone

from tasks import sql
from tasks.figures.bounded import bounded_queries
from tasks.figures.depths import Depths, queue_depths
from tasks.figures.ended import Lately, ended_lately
from tasks.figures.nodes import shown_nodes, working_clusters
from tasks.models import AlarmSettings, Backend, Node, PausedType, Queue
from tasks.schedules.fire import MOST_REFUSALS
from tasks.webhooks.endpoints import BY_OWNER

MOST_NODES = 100
# Of tasks that wait: looked at every ten seconds, for "20,000+" to say enough.
MOST_COUNTED = 20_000
MOST_OF_A_KIND = 100
# A receiver that is being restarted is no alarm.
FAILING_SECONDS = 600


class Stopped(NamedTuple):
    """Something that has stopped or is refused, and why: see `troubles.sql`."""

    kind: str
    about: str
    name: str
    why: str
    since: datetime


class DatabaseFacts(NamedTuple):
    """Connections in use, and allowed; seconds the oldest transaction is open; transactions since the oldest freeze."""

    connections: int
    most: int
    oldest_seconds: float
    age: int


@dataclass(frozen=True)
class Facts:
    """How the installation is, as of `now` by the database's clock.

    `nodes` are the first hundred, those lost within a day among them; `working` the clusters in which any takes work.
    """

    now: datetime
    settings: AlarmSettings
    queues: list[Queue]
    paused_types: list[PausedType]
    depths: Depths
    nodes: list[Node]
    working: frozenset[str]
    backends: list[Backend]
    stopped: list[Stopped]
    database: DatabaseFacts
    lately: Lately


def read_facts() -> Facts:
    """Read everything.

    Raises:
        django.db.OperationalError: the database is away, or it took longer than five seconds for a statement.
    """
    # Before the transaction: those who ask for it at the same time wait for each other.
    lately = ended_lately()
    with bounded_queries():
        found = AlarmSettings.objects.annotate(now=Now()).filter(pk=1).first()
        settings = found or AlarmSettings(causes_since=timezone.now())
        asked = {
            "most": MOST_OF_A_KIND,
            "failing_seconds": FAILING_SECONDS,
            "by_owner": BY_OWNER,
            "most_refusals": MOST_REFUSALS,
            "causes_since": settings.causes_since,
            "new_hours": settings.new_cause_hours,
        }
        [database] = sql.run("figures/database_trouble", {}, row=DatabaseFacts)
        return Facts(
            now=getattr(found, "now", timezone.now()),
            settings=settings,
            queues=list(Queue.objects.select_related("cluster")),
            paused_types=list(PausedType.objects.all()),
            depths=queue_depths(most=MOST_COUNTED),
            nodes=list(shown_nodes().order_by("status", "cluster", "name")[:MOST_NODES]),
            working=working_clusters(),
            backends=list(Backend.objects.order_by("kind", "name", "pk")),
            stopped=sql.run("figures/troubles", asked, row=Stopped),
            database=database,
            lately=lately,
        )
