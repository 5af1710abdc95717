"""What ended since its owner last looked: of as many tasks as a list looks at, a batch's together."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from tasks.kept import kept
from tasks.models import Batch, Task
from tasks.models.newest import find
from tasks.models.task import TaskQuerySet
from tasks.models.task_sources import task_sources
from tasks.statuses import TERMINAL, Status

MOST_ENDED = 200
MOST_COUNTED = 99
# Tasks and batches whose pages were looked at since; of more, the first come back into the list.
MOST_SEEN = 200
COUNT_SECONDS = 5.0
MOST_REMEMBERED = 10_000


class EndedBatch(NamedTuple):
    """A batch of which tasks have ended: how many lately, and how many of those without success."""

    batch: Batch
    ended_count: int
    bad_count: int
    last_at: datetime
    is_over: bool


class EndedSince(NamedTuple):
    """Single tasks and batches, the latest end first; `goes_on`: there may be more."""

    items: list[Task | EndedBatch]
    goes_on: bool


def ended_since(user: User, *, since: datetime | None = None, most: int = MOST_ENDED) -> EndedSince:
    """Return what ended since a moment, or since the last look; tasks that others have started are part of those."""
    found = find(_ended(user, since).select_related("content"), task_sources(owners=[user.pk]), most=most)
    members: dict[UUID, list[Task]] = {}
    items: list[Task | EndedBatch] = [task for task in found.rows if task.batch_id is None]
    for task in found.rows:
        if task.batch_id is not None:
            members.setdefault(task.batch_id, []).append(task)
    unfinished = Task.objects.filter(batch__in=members).unfinished().order_by().values_list("batch", flat=True)
    going = set(unfinished.distinct()) if members else set()
    for batch in Batch.objects.defer("items").filter(pk__in=members) if members else ():
        tasks = members[batch.pk]
        bad = sum(task.status != Status.SUCCEEDED for task in tasks)
        last_at = max(task.finished_at for task in tasks if task.finished_at)
        items.append(EndedBatch(batch, len(tasks), bad, last_at, batch.pk not in going))
    items.sort(key=_ended_at, reverse=True)
    return EndedSince(items, found.end is not None)


def count_ended(user: User) -> int:
    """Return how many tasks and batches have ended since the last look, `MOST_COUNTED` at most."""
    wanted = _ended(user, None).only("pk", "batch")
    found = find(wanted, task_sources(owners=[user.pk]), most=MOST_COUNTED).rows
    return len({task.batch_id or task.pk for task in found})


def count_ended_lately(user: User) -> int:
    """Return the same as it was some seconds ago at most; what has been seen meanwhile is not in it."""
    return _kept_count(user.pk, user.ended_seen_at, tuple(user.ended_seen))


@kept(seconds=COUNT_SECONDS, most=MOST_REMEMBERED)
def _kept_count(user_id: int, seen_at: datetime, seen: tuple[UUID, ...]) -> int:
    return count_ended(User(pk=user_id, ended_seen_at=seen_at, ended_seen=list(seen)))


def mark_seen(user: User, target: Task | Batch) -> None:
    """Note that the page of something that has ended was looked at."""
    if isinstance(target, Task) and not (target.finished_at and target.finished_at > user.ended_seen_at):
        return
    if target.pk not in user.ended_seen:
        user.ended_seen = [*user.ended_seen, target.pk][-MOST_SEEN:]
        User.objects.filter(pk=user.pk).update(ended_seen=user.ended_seen)


def mark_all_seen(user: User, *, until: datetime) -> None:
    """Note that the list was looked at as it was at a moment; the future has not been seen."""
    until = min(until, timezone.now())
    # Never backwards: a form of an older page may come after a newer one.
    User.objects.filter(pk=user.pk, ended_seen_at__lt=until).update(ended_seen_at=until, ended_seen=[])


def _ended(user: User, since: datetime | None) -> TaskQuerySet:
    mine = Task.objects.of(user).filter(status__in=TERMINAL, started_by=None)
    wanted = mine.filter(finished_at__gt=since or user.ended_seen_at)
    seen = user.ended_seen
    return wanted.exclude(Q(pk__in=seen) | Q(batch__in=seen)) if seen and since is None else wanted


def _ended_at(item: Task | EndedBatch) -> datetime:
    ended_at = item.finished_at if isinstance(item, Task) else item.last_at
    assert ended_at is not None, "a constraint of the table"
    return ended_at
