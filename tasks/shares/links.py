"""Making links to results, finding what a link leads to, taking links back.

A link holds 256 random bits; the database has only their digest, as of API tokens.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from tasks import audit, errors
from tasks.lifecycle.after_commit import after_commit
from tasks.models import Share, Task
from tasks.owned import get_owned
from tasks.periodic import duty
from tasks.statuses import Status

USUAL_DAYS = 7
LONGEST_DAYS = 90
# Of one user, that are good now.
MOST_SHARES = 500
# Links are listed for so long after their end.
KEEP = timedelta(days=30)
SECRET_LENGTH = 43
OPENED_STEP = timedelta(minutes=1)


def share_task(task_id: UUID, *, by: User, days: int = USUAL_DAYS) -> tuple[Share, str]:
    """Make a link to the result of a user's own task; return it with its secret, which cannot be had again.

    Raises:
        NotFound: no such task of theirs.
        WrongStatus: it has no result, sharing is switched off, or there are too many links.
        InvalidInput: as many days are not allowed.
    """
    if not settings.SHARING:
        raise errors.WrongStatus("Sharing is switched off on this portal.")
    if not 1 <= days <= LONGEST_DAYS:
        raise errors.InvalidInput.at("/days", "out_of_range", f"A link is good for 1 to {LONGEST_DAYS} days.")
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        # Locked, so that two at once cannot pass the limit together.
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        task = get_owned(Task.objects.select_related("content"), task_id, owner=by)
        if task.status != Status.SUCCEEDED or getattr(task, "content", None) is None:
            raise errors.WrongStatus("Only a task that has a result can be shared.")
        if Share.objects.alive().filter(owner=by).count() >= MOST_SHARES:
            raise errors.WrongStatus(f"You have {MOST_SHARES} links: take some of them back first.")
        expires_at = timezone.now() + timedelta(days=days)
        share = Share.objects.create(owner=by, task=task, secret_sha256=_digest(secret), expires_at=expires_at)
        audit.record(by, "share", "task", task_id, share=str(share.pk), days=days)
    share.refresh_from_db()
    return share, secret


def unshare(share_id: UUID, *, by: User) -> None:
    """Take a link back, at once and for good; repeating it changes nothing.

    Raises:
        NotFound: no such link of theirs.
    """
    with transaction.atomic(durable=True):
        share = get_owned(Share, share_id, owner=by, lock=True)
        if share.revoked_at is None:
            share.revoked_at = timezone.now()
            share.save(update_fields=["revoked_at"])
            audit.record(by, "unshare", "task", share.task_id, share=str(share_id))


def find_shared(secret: str) -> Task | None:
    """Return the task that a link leads to, with its content but for the input, by which it would be named.

    None for whatever leads nowhere, for whichever reason.
    """
    if not settings.SHARING or len(secret) != SECRET_LENGTH or not secret.isascii():
        return None
    found = Share.objects.alive().select_related("task__content").filter(secret_sha256=_digest(secret))
    share = found.filter(task__status=Status.SUCCEEDED, task__content__result__isnull=False).first()
    if share is None:
        return None
    after_commit(lambda: _note_opened(share), otherwise=lambda: None, what="noting that a link was opened")
    share.task.content.input = {}
    return share.task


def shares_of(user: User) -> list[Share]:
    """Return the links that are good now, the newest first; there are few."""
    alive = Share.objects.alive().filter(owner=user).select_related("task__content")
    return list(alive.order_by("-pk")[:MOST_SHARES])


@duty(every=3600)
def forget_shares() -> int:
    """Delete the links that ended some time ago."""
    return Share.objects.filter(expires_at__lt=Now() - KEEP).delete()[0]


def _note_opened(share: Share) -> None:
    lately = Q(opened_at=None) | Q(opened_at__lt=Now() - OPENED_STEP)
    Share.objects.filter(lately, pk=share.pk).update(opened_at=Now())


def _digest(secret: str) -> str:
    # Random bits need no slow hash.
    return hashlib.sha256(secret.encode()).hexdigest()
