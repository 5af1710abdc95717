"""What operators make of a cause of failures: acknowledge, assign, mute, reopen it, or write a note. All is audited.

The notes are the entries of the audit log: there is no second history.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Subquery
from django.db.models.functions import Coalesce, Now

from accounts.models import User
from tasks import audit, errors
from tasks.figures.causes import of_a_day
from tasks.models import Cause

MOST_NOTE = 2_000
LONGEST_MUTE = timedelta(days=365)
# A mute "until it changes" ends when more than twice as many fail within a day; of a few, chance makes twice as many.
LEAST_CHANGE = 5


def acknowledge(cause_id: int, *, by: User, note: str = "") -> None:
    """Note that somebody knows: it is no alarm any more.

    Raises:
        NotFound: no such cause.
    """
    _change(cause_id, "acknowledge", by, note, acknowledged_at=Now())


def reopen(cause_id: int, *, by: User, note: str = "") -> None:
    """Take back that it is acknowledged or muted.

    Raises:
        NotFound: no such cause.
    """
    _change(cause_id, "reopen", by, note, acknowledged_at=None, muted_until=None, muted_above=None)


def assign(cause_id: int, *, by: User, to: User | None, note: str = "") -> None:
    """Say which operator sees to it; None for nobody.

    Raises:
        NotFound: no such cause.
        InvalidInput: the person is no operator.
    """
    if to is not None and not (to.is_staff and to.is_active):
        raise errors.InvalidInput("Only an operator can see to it.")
    _change(cause_id, "assign", by, note, told={"to": to.email if to else "nobody"}, assignee=to)


def mute(cause_id: int, *, by: User, days: int | None, note: str = "") -> None:
    """Let it raise no alarm for so many days; None: until more than twice as many tasks fail of it within a day.

    Raises:
        NotFound: no such cause.
        InvalidInput: more than a year, or less than a day.
    """
    if days is None:
        of_now = Coalesce(Subquery(of_a_day()), 0) * 2 + LEAST_CHANGE
        _change(cause_id, "mute", by, note, told={"until": "it changes"}, muted_until=None, muted_above=of_now)
        return
    if not timedelta(days=1) <= timedelta(days=days) <= LONGEST_MUTE:
        raise errors.InvalidInput(f"It can be muted for 1 to {LONGEST_MUTE.days} days.")
    until = Now() + timedelta(days=days)
    _change(cause_id, "mute", by, note, told={"days": days}, muted_until=until, muted_above=None)


def write_note(cause_id: int, *, by: User, note: str) -> None:
    """Write a note, and change nothing.

    Raises:
        NotFound: no such cause.
        InvalidInput: nothing is written.
    """
    if not note.strip():
        raise errors.InvalidInput("Write something first.")
    _change(cause_id, "note", by, note)


def _change(cause_id: int, verb: str, by: User, note: str, told: dict[str, Any] | None = None, **changes: Any) -> None:
    with transaction.atomic():
        cause = Cause.objects.select_for_update(no_key=True).filter(pk=cause_id).first()
        if cause is None:
            raise errors.NotFound("There is no such cause of failures.")
        if changes:
            Cause.objects.filter(pk=cause_id).update(**changes)
        details = {"note": note.strip()[:MOST_NOTE]} if note.strip() else {}
        audit.record(by, verb, "cause", cause_id, name=str(cause)[:200], **(told or {}), **details)
