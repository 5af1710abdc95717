"""Submission: from a request to rows that are held in the user's lane.

Two transactions. The first is durable and is the promise behind a 202; the second, asynchronous,
fills the lane. If the second is lost, the sweep sees a held task beside a free slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from accounts.limits import Limits, limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import admit, idempotency, outbox, reuse
from tasks.lifecycle.accept import accept, check_open, insert
from tasks.lifecycle.after_commit import read_back
from tasks.lifecycle.deadlocks import again_after_deadlock
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.read import get_task
from tasks.lifecycle.submission import Accepted, Submission, Submitted, SubmittedBatch
from tasks.lifecycle.submit_batch import submit_batch

__all__ = [
    "Submission", "Submitted", "SubmittedBatch", "find_submitted", "submit_batch", "submit_chain", "submit_task",
]  # fmt: skip


@dataclass(frozen=True)
class _Promised:
    """What was committed: new tasks, or that an earlier one is the answer."""

    tasks: Sequence[Accepted] = ()
    earlier: UUID | None = None
    replayed: bool = False


def submit_task(
    user: User, submission: Submission, *, idempotency_key: str | None = None, body_sha256: str = ""
) -> Submitted:
    """Accept one task, or refuse it with the reason. Opens its own transactions.

    What cannot be run here and what is answered by reuse cost the rate a minute, and nothing else; a replay is free.

    Raises:
        UnknownTaskType, InvalidInput, EngineUnavailable: the request cannot be run here.
        QuotaExceeded: a limit of the plan is reached.
        IdempotencyConflict: the key was used with another body.
        UserDisabled, Maintenance: nothing is accepted now.
    """
    return submit_chain(user, [submission], idempotency_key=idempotency_key, body_sha256=body_sha256)


def submit_chain(
    user: User, submissions: Sequence[Submission], *, idempotency_key: str | None = None, body_sha256: str = ""
) -> Submitted:
    """Accept tasks of which later ones need earlier ones, all or none, and return the last one.

    They count once against the rate a minute. Opens its own transactions; what follows the first, durable one
    cannot fail for the caller.

    Args:
        submissions: those that others need have their `id`.

    Raises:
        As `submit_task`.
    """
    promised = _promise_tasks(user, submissions, idempotency_key=idempotency_key, body_sha256=body_sha256)
    if promised.earlier is not None:
        return Submitted(get_task(promised.earlier), replayed=promised.replayed, reused=not promised.replayed)
    fill_soon({task.lane for task in promised.tasks}, newcomers=[task.id for task in promised.tasks])
    return Submitted(read_back(user, promised.tasks[-1]))


def find_submitted(user: User, *, idempotency_key: str | None, body_sha256: str) -> Submitted | None:
    """Return what the key gave before, or None: for those who can submit only when they have found or stored something.

    What that takes may be gone, or have no room, by the time that a request is repeated.

    Raises:
        IdempotencyConflict, UserDisabled, Maintenance: as `submit_task`.
    """
    check_open(user)
    earlier = idempotency.find(user, idempotency_key, body_sha256) if idempotency_key else None
    return Submitted(get_task(UUID(earlier.task_ids[0])), replayed=True) if earlier else None


@again_after_deadlock
def _promise_tasks(
    user: User, submissions: Sequence[Submission], *, idempotency_key: str | None, body_sha256: str
) -> _Promised:
    """Commit the tasks. Nothing may follow the commit here: after a deadlock all of this is done again."""
    check_open(user)
    limits = limits_of(user)
    # Before the validation: a replay must answer even when the file of the input is gone by now.
    if idempotency_key and (earlier := idempotency.find(user, idempotency_key, body_sha256)):
        return _Promised(earlier=UUID(earlier.task_ids[0]), replayed=True)
    try:
        accepted = _accept_chain(user, limits, submissions)
        same = reuse.find_earlier(user, accepted[-1]) if submissions[-1].reuse else None
    except errors.Refused:
        admit.count_request(user, limits)
        raise
    with transaction.atomic(durable=True):
        is_first = idempotency.reserve(user, idempotency_key, body_sha256, [same or accepted[-1].id])
        if is_first and same is not None:
            admit.admit(user, limits, [])
        elif is_first:
            with sql.pipeline():
                accepted = [
                    # One by one: each finds those that it needs.
                    stored
                    for task in admit.admit(user, limits, accepted)
                    for stored in insert(user, [task])
                ]
            outbox.note_webhooks(accepted)
    if not is_first:
        return _promise_tasks(user, submissions, idempotency_key=idempotency_key, body_sha256=body_sha256)
    return _Promised(accepted, earlier=same)


def _accept_chain(user: User, limits: Limits, submissions: Sequence[Submission]) -> list[Accepted]:
    accepted: list[Accepted] = []
    for submission in submissions:
        accepted.append(accept(user, limits, submission, beside=[task.id for task in accepted]))
    return accepted
