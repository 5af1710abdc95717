"""Mails go out as tasks: tried again while the server is away, and seen where they fail. `mail.send` sends them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from accounts.limits import limits_of
from accounts.system import system_user
from tasks.figures.nodes import working_clusters
from tasks.lifecycle.accept import Place, accept
from tasks.lifecycle.routing import queue_and_cluster
from tasks.lifecycle.store import store
from tasks.lifecycle.submission import Submission
from tasks.models import Queue
from tasks.models.ids import new_id
from tasks.registry import get_type

TYPE = "mail.send"


class Mail(NamedTuple):
    """One mail of plain text to one address; `unsubscribe` is the address that ends mails of its kind, or empty."""

    to: str
    subject: str
    body: str
    unsubscribe: str = ""


class Stored(NamedTuple):
    """A task that was stored, and its lane: to be filled after the commit."""

    lane: int
    id: UUID


def send_mails(mails: Iterable[Mail]) -> list[Stored]:
    """Store a task for each mail: a server that refuses one keeps no other waiting. Joins the open transaction.

    Whether this node could send it does not matter: another one may, and a task that fails is seen.
    """
    system = system_user()
    limits = limits_of(system)
    queue = _served_queue()
    places: dict[str, Place] = {}
    accepted = []
    for mail in mails:
        submission = Submission(TYPE, _input(mail), queue=queue, internal=True)
        accepted.append(accept(system, limits, submission, places=places))
    store(system, limits, accepted)
    return [Stored(one.lane, one.id) for one in accepted]


def _input(mail: Mail) -> dict[str, Any]:
    data: dict[str, Any] = {"to": [mail.to], "subject": mail.subject, "body": mail.body, "message_id": str(new_id())}
    # Left out where there is none: nodes of an older version know no such field.
    return data | ({"unsubscribe": mail.unsubscribe} if mail.unsubscribe else {})


def _served_queue() -> str | None:
    """Return another queue for mails where nobody works at their own: that is what has to be told above all."""
    working = working_clusters()
    _, cluster = queue_and_cluster(get_type(TYPE, internal=True).queue)
    if cluster in working:
        return None
    served = Queue.objects.filter(cluster__in=working, paused_at=None).order_by("pk")
    return served.values_list("pk", flat=True).first()
