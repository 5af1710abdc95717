"""Idempotency keys: the same key and body give the first answer again (IETF draft idempotency-key-header).

Submissions find and reserve their key themselves; everything else that is made is made by `do_once`, and remembered by
its id alone, in the transaction that makes it (docs/decisions/0022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from accounts.models import User
from tasks import errors, sql
from tasks.models import IdempotencyKey
from tasks.periodic import duty, in_rounds

KEEP_KEYS = timedelta(hours=24)
LIMIT = 500

Made = TypeVar("Made")


class Reserved(NamedTuple):
    id: int


def find_key(user: User, key: str, body_sha256: str) -> IdempotencyKey | None:
    """Return what the key gave before, or None.

    Raises:
        IdempotencyConflict: it was used with another body.
    """
    found = IdempotencyKey.objects.filter(owner=user, key=key).first()
    if found is not None and found.body_sha256 != body_sha256:
        raise errors.IdempotencyConflict
    return found


def is_taken(user: User, key: str) -> bool:
    """Return whether the key was used, whatever for."""
    return IdempotencyKey.objects.filter(owner=user, key=key).exists()


def reserve_key(
    user: User,
    key: str | None,
    body_sha256: str,
    task_ids: Sequence[UUID] = (),
    *,
    batch_id: UUID | None = None,
    made: str = "",
) -> bool:
    """Take the key for these tasks, or for what else is made; False when someone else had it first.

    Waits for a concurrent request with the same key, so that both give one answer. Without a key there is
    nothing to take. Needs a transaction.
    """
    if send_key(user, key, body_sha256, task_ids, batch_id=batch_id, made=made)():
        return True
    ids = [str(id_) for id_ in task_ids]
    # By the body, too: other work may have been answered with the same earlier task.
    return IdempotencyKey.objects.filter(
        owner=user, key=key, body_sha256=body_sha256, task_ids=ids, batch_id=batch_id, made=made
    ).exists()


def send_key(
    user: User,
    key: str | None,
    body_sha256: str,
    task_ids: Sequence[UUID] = (),
    *,
    batch_id: UUID | None = None,
    made: str = "",
) -> Callable[[], bool]:
    """Take the key as `reserve_key`, for a pipeline; returns what says whether nobody had it, for whatever, before."""
    if not key:
        return lambda: True
    row = {
        "owner": user.pk,
        "key": key,
        "body_sha256": body_sha256,
        "task_ids": Jsonb([str(id_) for id_ in task_ids]),
        "batch": batch_id,
        "made": made,
    }
    reserved = sql.send("lifecycle/reserve_key", row, row=Reserved)
    return lambda: bool(reserved())


@duty(every=60)
def forget_keys() -> int:
    """Delete keys after a day."""
    old = IdempotencyKey.objects.filter(created_at__lt=Now() - KEEP_KEYS).values("pk")
    return in_rounds(lambda: IdempotencyKey.objects.filter(pk__in=old[:LIMIT]).delete()[0], limit=LIMIT)


@dataclass(frozen=True)
class Once:
    """A key of a user, and what the request was that came with it."""

    user: User
    key: str
    body_sha256: str

    def earlier(self) -> str | None:
        """Return the id of what the key made before, or None.

        Raises:
            IdempotencyConflict: that was another request.
        """
        found = find_key(self.user, self.key, self.body_sha256)
        return None if found is None else found.made

    def made_meanwhile(self, refusal: Exception) -> str:
        """Return the id of what the same request has made while this one waited for it, or raise the refusal.

        Limits are counted under a lock before the key is taken: where the first of two took the last place, the
        second is refused for what it has made itself. The first has committed both by then.
        """
        made = self.earlier()
        if made is None:
            raise refusal
        return made

    def take(self, made: str) -> bool:
        """Take the key for what is being made; False: the same request came twice at once, and the other was first.

        Needs the transaction that makes it.
        """
        return reserve_key(self.user, self.key, self.body_sha256, made=made)


def do_once(
    once: Once | None, make: Callable[[], Made], *, id_of: Callable[[Made], str], find: Callable[[str], Made]
) -> tuple[Made, bool]:
    """Make something, or find what the same request has made before; say whether it was found. Opens a transaction.

    Args:
        make: asks nobody but the database once it has begun to; opens no durable transaction of its own.
        find: returns what has this id, or raises NotFound.

    Raises:
        IdempotencyConflict: the key came with another request.
        NotFound: what was made is gone by now.
    """
    if once is None:
        with transaction.atomic(durable=True):
            return make(), False
    if (earlier := once.earlier()) is not None:
        return find(earlier), True
    try:
        with transaction.atomic(durable=True):
            made = make()
            if once.take(id_of(made)):
                return made, False
            transaction.set_rollback(True)
    except errors.Refused as refusal:
        return find(once.made_meanwhile(refusal)), True
    return do_once(once, make, id_of=id_of, find=find)
