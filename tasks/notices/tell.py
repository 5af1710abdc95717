"""Tells people by mail of the ends that they wished to hear of: a duty of the nodes.

A mail has all that ended for one person since the mail before, so a thousand ends are a few mails. Its task is stored
in the transaction that marks the wishes as told: each is told once, whichever node dies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from accounts.languages import language_for
from tasks.lifecycle.fill import fill_soon
from tasks.mails import Mail, send_mails
from tasks.models import Batch, Notice, Task
from tasks.notices.message import Ended, mail_of
from tasks.periodic import duty
from tasks.statuses import TERMINAL, Status
from tasks.ui.input_files import name_files

LIMIT = 1_000
# Mails to one person are so far apart; what ends meanwhile is in the next.
DISTANCE = timedelta(seconds=60)
KEEP_TOLD = timedelta(days=1)
# What has not ended by then hardly matters to anybody.
KEEP_OPEN = timedelta(days=180)


@dataclass(frozen=True)
class Look:
    """What the wishes of one round are about: `over` are batches that have ended, with how many did not succeed."""

    tasks: dict[UUID, Task]
    over: dict[UUID, tuple[Batch, int, int]]


@duty(every=5)
def tell_people() -> int:
    """Send a mail to each person for whom something ended; return how many wishes are done with."""
    with transaction.atomic(durable=True):
        wanted = Notice.objects.filter(told_at=None, owner__is_active=True).order_by("checked_at", "pk")
        wanted = wanted.select_related("owner")
        # Others of the same person may be with another node just now: there is a mail of each.
        looked = list(wanted.select_for_update(skip_locked=True, no_key=True, of=("self",))[:LIMIT])
        look = _look_at(looked)
        ended, done = _sorted(looked, look)
        told = _told(ended)
        Notice.objects.filter(pk__in=done).delete()
        Notice.objects.filter(pk__in=[wish.pk for wishes in told.values() for wish, _ in wishes]).update(told_at=Now())
        if len(looked) == LIMIT:
            # Behind those that were not looked at this time.
            Notice.objects.filter(pk__in=[wish.pk for wish in looked]).update(checked_at=Now())
        mails = [_mail(wishes) for wishes in told.values()]
        stored = send_mails(mails) if mails else []
    if stored:
        fill_soon([one.lane for one in stored], newcomers=[one.id for one in stored])
    return len(done) + sum(map(len, told.values()))


@duty(every=3600)
def forget_notices() -> int:
    """Delete wishes a day after they were told, and those of what never ends."""
    old = Q(told_at__lt=Now() - KEEP_TOLD) | Q(created_at__lt=Now() - KEEP_OPEN)
    return Notice.objects.filter(old).delete()[0]


def _look_at(wishes: Iterable[Notice]) -> Look:
    tasks = {wish.task_id for wish in wishes if wish.task_id}
    batches = {wish.batch_id for wish in wishes if wish.batch_id}
    found = Task.objects.select_related("content").in_bulk(tasks) if tasks else {}
    name_files(task for task in found.values() if task.done)
    over = {}
    if batches:
        ended = Q(status__in=TERMINAL)
        counts = (
            Task.objects.filter(batch__in=batches)
            .values("batch")
            .annotate(all=Count("pk"), open=Count("pk", ~ended), bad=Count("pk", ended & ~Q(status=Status.SUCCEEDED)))
            .order_by()
        )
        of_batch = {row["batch"]: row for row in counts}
        for batch in Batch.objects.defer("items").filter(pk__in=batches):
            row = of_batch.get(batch.pk, {"all": 0, "open": 0, "bad": 0})
            if not row["open"]:
                over[batch.pk] = batch, row["all"], row["bad"]
    return Look(found, over)


def _sorted(wishes: Iterable[Notice], look: Look) -> tuple[list[tuple[Notice, Ended]], list[int]]:
    """Return what ended and is to be told; and the wishes that are done with, as there is nothing to tell."""
    ended: list[tuple[Notice, Ended]] = []
    done: list[int] = []
    for wish in wishes:
        if wish.batch_id and wish.batch_id in look.over:
            batch, count, bad = look.over[wish.batch_id]
            is_news = bad > 0 or not wish.only_failed
            with language_for(wish.owner):
                end = Ended.of_batch(batch, count=count, bad=bad)
        elif wish.task_id and (task := look.tasks.get(wish.task_id)) is not None and task.done:
            # Whoever cancels their task knows that it has ended.
            is_news = task.cancelled_by != task.owner_id and not (wish.only_failed and task.status == Status.SUCCEEDED)
            with language_for(wish.owner):
                end = Ended.of_task(task)
        else:
            if wish.task_id and wish.task_id not in look.tasks:
                done.append(wish.pk)
            continue
        if is_news:
            ended.append((wish, end))
        else:
            done.append(wish.pk)
    return ended, done


def _mail(wishes: list[tuple[Notice, Ended]]) -> Mail:
    user = wishes[0][0].owner
    with language_for(user):
        return mail_of(user, wishes)


def _told(ended: Iterable[tuple[Notice, Ended]]) -> dict[int, list[tuple[Notice, Ended]]]:
    """Return what is told now, by person: of whoever was told just before, it waits."""
    by_owner: defaultdict[int, list[tuple[Notice, Ended]]] = defaultdict(list)
    for wish, end in ended:
        by_owner[wish.owner_id].append((wish, end))
    if by_owner:
        lately = Notice.objects.filter(owner__in=by_owner, told_at__gt=Now() - DISTANCE)
        for owner in lately.values_list("owner", flat=True).distinct():
            del by_owner[owner]
    return dict(by_owner)
