"""Cancelling a batch: all of its tasks that are unfinished.

The wish to cancel is durable on the batch's row; its tasks are cancelled in rounds, and a duty goes on where the
request (or the process that served it) stopped.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce, Now

from accounts.models import User
from tasks import audit, sql
from tasks.lifecycle.after_commit import after_commit, left_to_the_sweep
from tasks.lifecycle.cancel import end_unstarted, tell_node
from tasks.models import Batch, Task
from tasks.owned import get_owned
from tasks.periodic import duty
from tasks.statuses import NOT_STARTED, Status

ROUND = 200
# A request cancels this many rounds; what a larger batch has left is the duty's.
ROUNDS_AT_ONCE = 5


class Member(NamedTuple):
    """A task of a batch that is being cancelled."""

    id: UUID
    lane_id: int
    status: str


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
