"""Promising: the durable transaction behind a 202, the same for one task, a chain and a batch.

The tasks are counted against the plan and stored, and the request's key is taken, all or nothing. What follows, the
filling of the lanes, is asynchronous: if it is lost, the sweep sees a held task beside a free slot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from accounts.limits import Limits, limits_of
from accounts.models import User
from tasks import errors, idempotency, sql
from tasks.lifecycle import admit, outbox
from tasks.lifecycle.accept import check_open, insert
from tasks.lifecycle.deadlocks import again_after_deadlock
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.submission import Accepted
from tasks.models import Batch, IdempotencyKey


@dataclass(frozen=True)
class Promise:
    """What a request is answered with: the tasks of these ids, in a batch or not. Its key gives them again.

    `tasks` are those that are to be stored for it, or were: none for a replay, or where an earlier result is reused.
    """

    ids: Sequence[UUID]
    tasks: Sequence[Accepted] = ()
    batch: Batch | None = None
    replayed: bool = False

    @property
    def batch_id(self) -> UUID | None:
        return None if self.batch is None else self.batch.id


def promise(
    user: User, prepare: Callable[[Limits], Promise], *, idempotency_key: str | None, body_sha256: str
) -> Promise:
    """Store what a request asks for, once under its key, and fill the lanes. Opens its own transactions.

    What cannot be prepared costs the rate a minute, and nothing else; a replay is free.

    Args:
        prepare: validates the request and decides all of it. Called once more when two have the same key.

    Raises:
        QuotaExceeded: a limit of the plan is reached.
        IdempotencyConflict: the key was used with another body.
        UserDisabled, Maintenance: nothing is accepted now.
        Refused: what `prepare` raises; or what a task needs has failed meanwhile.
    """
    promised = _commit(user, prepare, idempotency_key, body_sha256)
    if promised.tasks:
        fill_soon({task.lane for task in promised.tasks}, newcomers=[task.id for task in promised.tasks])
    return promised


@again_after_deadlock
def _commit(user: User, prepare: Callable[[Limits], Promise], key: str | None, body_sha256: str) -> Promise:
    """Commit the promise. Nothing may follow the commit here: after a deadlock all of this is done again."""
    check_open(user)
    limits = limits_of(user)
    # Before the validation: a replay must answer even when the file of the input is gone by now.
    if key and (earlier := idempotency.find_key(user, key, body_sha256)):
        return _replay(earlier)
    try:
        wanted = prepare(limits)
    except errors.Refused:
        admit.count_request(user, limits)
        raise
    with transaction.atomic(durable=True):
        if idempotency.reserve_key(user, key, body_sha256, wanted.ids, batch_id=wanted.batch_id):
            return replace(wanted, tasks=_store(user, limits, wanted))
    # The same request came twice at once, and the other was first.
    return _commit(user, prepare, key, body_sha256)


def _store(user: User, limits: Limits, wanted: Promise) -> list[Accepted]:
    """Count the tasks and insert them, with their batch and their webhooks."""
    if wanted.batch is not None:
        wanted.batch.save(force_insert=True)
    with sql.pipeline():
        admitted = admit.admit(user, limits, wanted.tasks)
        # One by one in a chain, where each finds those that it needs; the tasks of a batch do not need each other.
        groups = [[task] for task in admitted] if wanted.batch is None else [admitted]
        stored = [task for group in groups for task in insert(user, group, batch=wanted.batch_id)]
    outbox.note_webhooks(stored)
    return stored


def _replay(earlier: IdempotencyKey) -> Promise:
    batch = Batch.objects.get(pk=earlier.batch_id) if earlier.batch_id else None
    return Promise([UUID(id_) for id_ in earlier.task_ids], batch=batch, replayed=True)
