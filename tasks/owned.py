"""Finds what a person names by its id: their own, or any for an operator; and queues, which are nobody's."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.models import User
from tasks import errors
from tasks.models import Queue

Owned = TypeVar("Owned", bound=Model)


def get_owned(rows: type[Owned] | QuerySet[Owned], id_: UUID, *, owner: User | None, lock: bool = False) -> Owned:
    """Return the row with this id.

    Args:
        rows: a model with an `owner`, or those of its rows that come into question.
        owner: only this user's rows are seen; None for operators.
        lock: hold the row until the open transaction ends.

    Raises:
        NotFound: there is none of that id, or it is somebody else's.
    """
    found = (rows if isinstance(rows, QuerySet) else rows._default_manager.all()).filter(pk=id_)
    if owner is not None:
        found = found.filter(owner=owner)
    if lock:
        found = found.select_for_update(no_key=True)
    row = found.first()
    if row is None:
        raise errors.NotFound(f"There is no {found.model._meta.verbose_name} {id_}.")
    return row


def find_queue(name: str, *, lock: bool = False) -> Queue:
    """Return a queue.

    Args:
        lock: hold its row until the open transaction ends.

    Raises:
        NotFound: there is none of that name.
    """
    queues = Queue.objects.select_for_update() if lock else Queue.objects.all()
    queue = queues.filter(pk=name.replace("\0", "")).first()
    if queue is None:
        raise errors.NotFound(f"There is no queue {name}.")
    return queue
