"""Promising: what stands behind a 202, the same for one task, a chain and a batch.

The tasks are counted against the plan and stored, and the request's key is taken, all or nothing: mostly by one
asynchronous statement that brings them into their lanes, too, and is durable before anybody is told; else by a
transaction. Where a lane is still to be filled, that follows: if it is lost, the sweep sees a held task beside a free
slot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.limits import Limits
from accounts.models import User
from tasks import errors, idempotency
from tasks.lifecycle import admit, outbox
from tasks.lifecycle.accept import check_open
from tasks.lifecycle.deadlocks import again_after_deadlock
from tasks.lifecycle.fill import Arrived, fill_soon
from tasks.lifecycle.harden import harden
from tasks.lifecycle.known_limits import KnownLimits, known_limits, read_limits
from tasks.lifecycle.store import Request, Stored, need_others, store, store_request
from tasks.lifecycle.submission import Accepted, Usage
from tasks.models import Batch, IdempotencyKey


@dataclass(frozen=True)
class Promise:
    """What a request is answered with: the tasks of these ids, in a batch or not. Its key gives them again.

    `tasks` are those that are to be stored for it, or were: none for a replay, or where an earlier result is reused. Of
    those that were, `created_at` and `usage` are known, and how they stood when they came into their lanes; `in_line`
    where that is done. `is_durable`: it was committed so.
    """

    ids: Sequence[UUID]
    tasks: Sequence[Accepted] = ()
    batch: Batch | None = None
    replayed: bool = False
    created_at: datetime | None = None
    usage: Usage | None = None
    arrived: Sequence[Arrived] = ()
    in_line: bool = False
    is_durable: bool = True

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
    if not promised.is_durable:
        harden(promised.tasks[0].id if promised.tasks else None)
    if promised.tasks and not promised.in_line:
        arrived = fill_soon({task.lane for task in promised.tasks}, newcomers=[task.id for task in promised.tasks])
        return replace(promised, arrived=arrived)
    return promised


@again_after_deadlock
def _commit(user: User, prepare: Callable[[Limits], Promise], key: str | None, body_sha256: str) -> Promise:
    """Commit the promise, durable or not yet.

    Nothing may follow the commit here: after a deadlock all of this is done again.
    """
    check_open(user)
    known = known_limits(user)
    try:
        wanted = prepare(known.limits)
    except errors.Refused:
        # A replay must answer even when the file of the input is gone by now.
        if key and (earlier := idempotency.find_key(user, key, body_sha256)):
            return _replay(earlier)
        if (now := read_limits(user)) == known:
            admit.count_request(user, known.limits)
            raise
        wanted = _prepare_anew(user, prepare, now.limits)
    else:
        # A replayed batch would be sent whole to find that out.
        if key and wanted.batch is not None and (earlier := idempotency.find_key(user, key, body_sha256)):
            return _replay(earlier)
        if (promised := _commit_at_once(user, known, wanted, key, body_sha256)) is not None:
            return promised
        if key and (earlier := idempotency.find_key(user, key, body_sha256)):
            return _replay(earlier)
        if (now := read_limits(user)) != known:
            wanted = _prepare_anew(user, prepare, now.limits)
    with transaction.atomic(durable=True):
        if idempotency.reserve_key(user, key, body_sha256, wanted.ids, batch_id=wanted.batch_id):
            if wanted.batch is not None:
                wanted.batch.save(force_insert=True)
            return _promised(wanted, store(user, now.limits, wanted.tasks, batch=wanted.batch_id))
    # The same request came twice at once, and the other was first.
    return _commit(user, prepare, key, body_sha256)


def _prepare_anew(user: User, prepare: Callable[[Limits], Promise], limits: Limits) -> Promise:
    try:
        return prepare(limits)
    except errors.Refused:
        admit.count_request(user, limits)
        raise


def _commit_at_once(
    user: User, known: KnownLimits, wanted: Promise, key: str | None, body_sha256: str
) -> Promise | None:
    """Commit what fits the plan for certain; None where that or the key is to be looked at, and nothing was stored."""
    is_chain = wanted.batch is None and len(wanted.tasks) > 1
    if not wanted.tasks or is_chain:
        return None
    # What is needed is locked first; webhooks of single tasks are noted by Django.
    arrives = not (need_others(wanted.tasks) or any(task.webhook for task in wanted.tasks))
    request = Request(arrives, wanted.batch, key, body_sha256, wanted.ids)
    try:
        with nullcontext() if arrives else transaction.atomic(durable=True):
            stored = store_request(user, known.limits, wanted.tasks, request, overrides=known.mark)
            if stored is None:
                return None
            return _promised(wanted, stored)
    except IntegrityError:
        # Somebody took the key at this very moment. What else it may be is raised again when all is looked at closely.
        if not key:
            raise
        return None


def _promised(wanted: Promise, stored: Stored | None) -> Promise:
    """Return what was stored. The webhooks of tasks are noted in their transaction, where there are any."""
    if stored is None:
        return wanted
    outbox.note_webhooks(stored.tasks)
    return replace(
        wanted,
        tasks=stored.tasks,
        batch=wanted.batch and _as_stored(wanted.batch, stored.created_at),
        usage=stored.usage,
        created_at=stored.created_at,
        arrived=stored.arrived,
        in_line=stored.in_line,
        is_durable=stored.is_durable,
    )


def _as_stored(batch: Batch, created_at: datetime) -> Batch:
    known = {"owner_id": batch.owner_id, "created_at": created_at}
    names = [field.attname for field in Batch._meta.concrete_fields]
    return Batch.from_db("default", names, [known.get(name, getattr(batch, name)) for name in names])


def _replay(earlier: IdempotencyKey) -> Promise:
    batch = Batch.objects.get(pk=earlier.batch_id) if earlier.batch_id else None
    # The first answer may still be waiting for the disk.
    return Promise([UUID(id_) for id_ in earlier.task_ids], batch=batch, replayed=True, is_durable=False)
