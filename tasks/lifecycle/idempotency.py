"""Idempotency keys: the same key and body give the first answer again (IETF draft idempotency-key-header)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models.functions import Now

from accounts.models import User
from tasks import errors
from tasks.models import IdempotencyKey
from tasks.periodic import duty, in_rounds

KEEP_KEYS = timedelta(hours=24)
LIMIT = 500


def find(user: User, key: str, body_sha256: str) -> IdempotencyKey | None:
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


def reserve(
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
    if not key:
        return True
    row = IdempotencyKey(
        owner=user,
        key=key,
        body_sha256=body_sha256,
        task_ids=[str(id_) for id_ in task_ids],
        batch_id=batch_id,
        made=made,
    )
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    # By the body, too: other work may have been answered with the same earlier task.
    return IdempotencyKey.objects.filter(
        owner=user, key=key, body_sha256=body_sha256, task_ids=row.task_ids, batch_id=batch_id, made=made
    ).exists()


@duty(every=60)
def forget_keys() -> int:
    """Delete keys after a day."""
    old = IdempotencyKey.objects.filter(created_at__lt=Now() - KEEP_KEYS).values("pk")
    return in_rounds(lambda: IdempotencyKey.objects.filter(pk__in=old[:LIMIT]).delete()[0], limit=LIMIT)
