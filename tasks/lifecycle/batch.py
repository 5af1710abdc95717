"""What happens to a batch as a whole: cancelling all that is unfinished, and reading what came of it.

The wish to cancel is durable on the batch's row; its tasks are cancelled in rounds, and a duty goes on where the
request (or the process that served it) stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Now

from accounts.models import User
from tasks import audit, sql
from tasks.lifecycle.after_commit import after_commit, left_to_the_sweep
from tasks.lifecycle.cancel import end_unstarted, tell_node
from tasks.models import Batch, Task, TaskContent
from tasks.models.small_json import if_small
from tasks.owned import get_owned
from tasks.periodic import duty
from tasks.statuses import NOT_STARTED, Status

ROUND = 200
# A request cancels this many rounds; what a larger batch has left is the duty's.
ROUNDS_AT_ONCE = 5
PAGE = 50


class Member(NamedTuple):
    """A task of a batch that is being cancelled."""

    id: UUID
    lane_id: int
    status: str


@dataclass(frozen=True)
class ItemResult:
    """What came of one item of a batch.

    `status` is ``refused`` for items that never became a task, and None where the task's row is gone by now.
    """

    index: int
    id: UUID | None
    status: str | None
    result: Any
    error: dict[str, Any] | None


def cancel_batch(batch_id: UUID, *, by: User, owner: User | None = None) -> Batch:
    """Cancel every unfinished task of a batch. Repeating it, or cancelling what has ended, changes nothing.

    Opens its own transactions. What the rounds of this call leave over, `cancel_batches` does.

    Raises:
        NotFound: no such batch.
    """
    with transaction.atomic(durable=True):
        batch = get_owned(Batch, batch_id, owner=owner, lock=True)
        wanted = _has_members_to_cancel(batch.pk)
        if wanted:
            Batch.objects.filter(pk=batch.pk).update(
                cancel_wanted_at=Coalesce("cancel_wanted_at", Now()), cancelled_by=by.pk
            )
            audit.record(by, "cancel", "batch", batch_id)
    if wanted:
        with left_to_the_sweep("cancelling a batch"):
            _cancel_rounds(batch.pk, by.pk)
    return after_commit(
        lambda: get_owned(Batch, batch_id, owner=owner), otherwise=lambda: batch, what="reading the batch back"
    )


@duty(every=1)
def cancel_batches() -> int:
    """Go on with batches that are to be cancelled: a duty. Returns how many tasks it cancelled."""
    wanted = Batch.objects.filter(cancel_wanted_at__isnull=False).order_by("cancel_wanted_at")
    return sum(_cancel_rounds(pk, by) for pk, by in wanted.values_list("pk", "cancelled_by")[:ROUNDS_AT_ONCE])


def read_results(batch: Batch) -> Iterator[ItemResult]:
    """Yield what came of each item, in the order they were given; tasks are read a page at a time, large results alone.

    No transaction is held between pages: each item is as it is when it is read.
    """
    for start in range(0, len(batch.items), PAGE):
        items = batch.items[start : start + PAGE]
        ids = [item["id"] for item in items if "id" in item]
        tasks = {str(task.pk): task for task in _with_small_results(ids)}
        for number, item in enumerate(items, start):
            if "id" not in item:
                yield ItemResult(number, None, "refused", None, item["problem"])
            elif task := tasks.get(item["id"]):
                yield ItemResult(number, task.pk, task.shown_status, _result_of(task), task.error)
            else:
                yield ItemResult(number, UUID(item["id"]), None, None, None)


def _with_small_results(ids: list[str]) -> QuerySet[Task]:
    return Task.objects.filter(pk__in=ids).annotate(
        small_result=if_small("content__result"),
        has_large_result=Q(content__result__isnull=False, small_result__isnull=True),
    )


def _result_of(task: Task) -> Any:
    if not task.has_large_result:  # type: ignore[attr-defined]
        return task.small_result  # type: ignore[attr-defined]
    # One at a time: fifty of them may be gigabytes. None when it was purged meanwhile.
    return TaskContent.objects.filter(pk=task.pk).values_list("result", flat=True).first()


def _cancel_rounds(batch_id: UUID, by: int | None) -> int:
    total = 0
    for _ in range(ROUNDS_AT_ONCE):
        members = sql.run("lifecycle/cancel_members", {"batch": batch_id, "by": by, "limit": ROUND}, row=Member)
        total += len(members)
        waiting = [(member.id, member.lane_id) for member in members if member.status in NOT_STARTED]
        if waiting:
            end_unstarted(waiting)
        for member in members:
            if member.status == Status.RUNNING:
                tell_node(member.id)
        if len(members) < ROUND:
            break
    if not _has_members_to_cancel(batch_id):
        Batch.objects.filter(pk=batch_id).update(cancel_wanted_at=None)
    return total


def _has_members_to_cancel(batch_id: UUID) -> bool:
    return Task.objects.filter(batch=batch_id, cancel_requested_at=None).unfinished().exists()
