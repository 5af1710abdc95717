"""A user's work as they submitted it: tasks that stand for themselves, and batches; newest first, at the same price
however much there is. What belongs to a batch, or was started by another task, is listed with that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from accounts.models import User
from tasks.models import Batch, Task
from tasks.models.newest import Found, find
from tasks.models.task import TaskQuerySet


def alone(user: User) -> TaskQuerySet:
    """Return the user's tasks that are in no batch and were started by no other (index `task_owner_alone`)."""
    return Task.objects.of(user).filter(batch=None, started_by=None)


def find_work(
    user: User, *, most: int, after: UUID | None = None, newest_first: bool = True, ended: bool = False
) -> Found[Any]:
    """Return tasks and batches in the order in which they were submitted.

    Args:
        ended: of the tasks, those that have ended. A batch is there in any case.
        after: the id behind which to look.
    """
    tasks = alone(user).with_content()
    wanted = tasks.ended() if ended else tasks
    batches = Batch.objects.filter(owner=user)
    options: dict[str, Any] = {"most": most, "after": after, "newest_first": newest_first}
    found_tasks = find(wanted, [alone(user)], **options)
    found_batches = find(batches.defer("items"), [batches], **options)
    return _merge([found_tasks, found_batches], most=most, newest_first=newest_first)


def _merge(found: Sequence[Found[Any]], *, most: int, newest_first: bool) -> Found[Any]:
    rows = sorted((row for one in found for row in one.rows), key=lambda row: row.pk, reverse=newest_first)
    # Where one of them stopped earlier, the other's rows behind that come with the next page.
    ends = [one.end for one in found if one.end is not None]
    if ends:
        end = max(ends) if newest_first else min(ends)
        rows = [row for row in rows if (row.pk >= end if newest_first else row.pk <= end)]
        return Found(rows[:most], rows[most - 1].pk if len(rows) > most else end)
    return Found(rows[:most], rows[most - 1].pk if len(rows) > most else None)
