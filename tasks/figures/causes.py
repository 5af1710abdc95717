"""Causes of failures: which there have been and which task failed of which, so that a new one is noticed at once.

A failure is noted here and nowhere else, some seconds after the task has ended: ending a task costs nothing for it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Left, Now

from tasks import sql
from tasks.errors import InvalidInput
from tasks.figures.fingerprint import MOST_READ, fingerprint_of
from tasks.models import AlarmSettings, Cause, CauseSum, Failure, Task
from tasks.models.task import TaskQuerySet, text_of_error
from tasks.periodic import duty, in_rounds
from tasks.statuses import NOT_STARTED

LIMIT = 5_000
ROUND_SECONDS = 1.0
# Transactions commit in another order than the times within them.
OVERLAP = timedelta(seconds=60)
KEEP = timedelta(days=400)
KEEP_SUMS = timedelta(days=35)
# What counts as "more often than when it was muted".
DAY = timedelta(days=1)

Key = tuple[str, str, str]


class Failed(NamedTuple):
    """A task that failed."""

    id: UUID
    type: str
    code: str
    message: str
    owner: int
    at: datetime


class Noted(NamedTuple):
    """A cause and its id."""

    id: int
    type: str
    code: str
    fingerprint: str


@duty(every=10)
def note_causes() -> int:
    """Note in which ways tasks have failed since the last time; return how many failures there were.

    Idempotent: a failure that is looked at twice changes nothing.
    """
    return in_rounds(_note_next, limit=LIMIT, seconds=ROUND_SECONDS)


def _note_next() -> int:
    with transaction.atomic():
        locked = AlarmSettings.objects.select_for_update(skip_locked=True, no_key=True)
        settings = locked.annotate(now=Now()).filter(pk=1).first()
        if settings is None:
            return 0
        since = settings.failures_noted_until
        rows = sql.run("figures/failed_since", {"since": since, "limit": LIMIT, "read": MOST_READ}, row=Failed)
        if rows:
            _store(rows)
        # Only where all has been read may some be read again: else nothing would ever get further.
        settings.failures_noted_until = rows[-1].at if len(rows) >= LIMIT else settings.now - OVERLAP
        settings.save(update_fields=["failures_noted_until"])
        return len(rows)


def _store(rows: list[Failed]) -> None:
    # Most messages are the same ones again, and expressions cost more than looking one up.
    fingerprints = {message: fingerprint_of(message) for message in {row.message for row in rows}}
    keys = [(row.type, row.code, fingerprints[row.message]) for row in rows]
    causes = _note(rows, keys)
    sql.execute(
        "figures/note_failures",
        {
            "tasks": [row.id for row in rows],
            "causes": [causes[key] for key in keys],
            "owners": [row.owner for row in rows],
            "ats": [row.at for row in rows],
        },
    )
    _end_mutes(causes.values())


def _note(rows: list[Failed], keys: list[Key]) -> dict[Key, int]:
    """Store the causes and return their ids."""
    # Rows come in the order of their times.
    lasts = {key: row.at for row, key in zip(rows, keys, strict=True)}
    firsts = {key: row.at for row, key in zip(reversed(rows), reversed(keys), strict=True)}
    # In one order: two nodes may note the same.
    found = sorted(lasts)
    noted = sql.run(
        "figures/note_causes",
        {
            "types": [key[0] for key in found],
            "codes": [key[1] for key in found],
            "fingerprints": [key[2] for key in found],
            "firsts": [firsts[key] for key in found],
            "lasts": [lasts[key] for key in found],
        },
        row=Noted,
    )
    return {(row.type, row.code, row.fingerprint): row.id for row in noted}


def _end_mutes(causes: Collection[int]) -> None:
    """End the mutes of those that have got worse: they are as good as new."""
    muted = Cause.objects.filter(pk__in=causes, muted_above__isnull=False)
    muted.filter(muted_above__lt=Subquery(of_a_day())).update(muted_above=None, reopened_at=Now(), acknowledged_at=None)


def of_a_day() -> QuerySet[Any]:
    """Return a subquery: how many tasks failed within a day of the cause of the row around it."""
    sums = CauseSum.objects.filter(cause=OuterRef("pk"), starts_at__gt=Now() - DAY)
    return sums.order_by().values("cause").annotate(sum=Sum("tasks")).values("sum")


def retries_of(cause_id: int) -> TaskQuerySet:
    """Return the tasks that failed in this way, and are to be tried again but have not started.

    Raises:
        InvalidInput: there are too many kinds of messages to tell which are of the cause.
    """
    cause = Cause.objects.filter(pk=cause_id).first()
    if cause is None:
        return Task.objects.none()
    unstarted = Task.objects.filter(status__in=NOT_STARTED, type=cause.type, error__isnull=False)
    told = unstarted.annotate(code=text_of_error("code"), head=Left(text_of_error("message"), MOST_READ))
    alike = told.filter(code=cause.code)
    heads = list(alike.order_by().values_list("head", flat=True).distinct()[: LIMIT + 1])
    if len(heads) > LIMIT:
        raise InvalidInput("These tasks failed with too many different messages. Cancel them in the list of tasks.")
    return alike.filter(head__in=[head for head in heads if fingerprint_of(head) == cause.fingerprint])


@duty(every=86_400)
def forget_causes() -> int:
    """Forget causes that were not seen for more than a year: they are new if they come again."""
    CauseSum.objects.filter(starts_at__lt=Now() - KEEP_SUMS).delete()
    Failure.objects.filter(failed_at__lt=Now() - KEEP).delete()
    return Cause.objects.filter(last_at__lt=Now() - KEEP).delete()[0]
