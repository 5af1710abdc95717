"""Wishing for a mail at an end: of one task or batch, or by default of what is submitted on the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from accounts.models import User
from accounts.models.user import MailWhen
from tasks import errors
from tasks.lifecycle.after_commit import after_commit
from tasks.models import Batch, Notice, Task
from tasks.outbound import mail

# Of one person, not told yet.
MOST_OPEN = 500


def wish(target: Task | Batch, *, origin: str, only_failed: bool = False) -> None:
    """Have the owner of a task or batch told when it has ended; repeating it changes nothing.

    Raises:
        Refused: nothing here sends e-mail, or too much is wished for already.
    """
    if not mail.is_set_up():
        raise errors.WrongStatus("This portal sends no e-mail.")
    if Notice.objects.filter(owner=target.owner_id, told_at=None).count() >= MOST_OPEN:
        raise errors.WrongStatus(f"You are to be told of {MOST_OPEN} ends already: wait for some of them first.")
    Notice.objects.update_or_create(
        **_named(target),
        defaults={"owner_id": target.owner_id, "origin": origin, "only_failed": only_failed, "told_at": None},
    )


def unwish(target: Task | Batch) -> None:
    """Take the wish back."""
    Notice.objects.filter(**_named(target), told_at=None).delete()


def wished(target: Task | Batch) -> bool:
    """Say whether its owner is to be told of its end."""
    return Notice.objects.filter(**_named(target), told_at=None).exists()


def wish_by_default(user: User, target: Task | Batch, *, origin: str) -> None:
    """Wish for what the user's account says. What fails here fails no submission: it is stored already."""
    if user.mail_when == MailWhen.NEVER or not mail.is_set_up():
        return
    only_failed = user.mail_when == MailWhen.FAILED
    after_commit(
        lambda: wish(target, origin=origin, only_failed=only_failed), otherwise=lambda: None, what="wishing for a mail"
    )


def stop_mails(user: User) -> None:
    """Send this person no more mails about tasks, whatever they have wished for."""
    User.objects.filter(pk=user.pk).update(mail_when=MailWhen.NEVER)
    Notice.objects.filter(Q(owner=user), told_at=None).delete()


def _named(target: Task | Batch) -> dict[str, Any]:
    return {"batch_id" if isinstance(target, Batch) else "task_id": target.pk}
