"""Submission of one task, or of a chain: from a request to rows that are held in the user's lane.

Two transactions: `promise` has the first, durable one, and what of the second may be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from accounts.limits import Limits
from accounts.models import User
from tasks import idempotency
from tasks.lifecycle import reuse
from tasks.lifecycle.accept import accept, check_open
from tasks.lifecycle.as_stored import as_stored
from tasks.lifecycle.harden import harden
from tasks.lifecycle.promise import Promise, promise
from tasks.lifecycle.read import get_task
from tasks.lifecycle.submission import Accepted, Submission, Submitted, SubmittedBatch
from tasks.lifecycle.submit_batch import submit_batch

__all__ = [
    "Submission", "Submitted", "SubmittedBatch", "find_submitted", "submit_batch", "submit_chain", "submit_task",
]  # fmt: skip


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

    def prepare(limits: Limits) -> Promise:
        accepted: list[Accepted] = []
        for submission in submissions:
            accepted.append(accept(user, limits, submission, beside=[task.id for task in accepted]))
        if submissions[-1].reuse and (same := reuse.find_earlier(user, accepted[-1])):
            return Promise([same])
        return Promise([accepted[-1].id], accepted)

    promised = promise(user, prepare, idempotency_key=idempotency_key, body_sha256=body_sha256)
    if promised.tasks:
        assert promised.created_at is not None, "they are stored"
        task = as_stored(user, promised.tasks[-1], promised.created_at, promised.arrived)
        return Submitted(task, usage=promised.usage)
    return Submitted(get_task(promised.ids[0]), replayed=promised.replayed, reused=not promised.replayed)


def find_submitted(user: User, *, idempotency_key: str | None, body_sha256: str) -> Submitted | None:
    """Return what the key gave before, or None: for those who can submit only when they have found or stored something.

    What that takes may be gone, or have no room, by the time that a request is repeated.

    Raises:
        IdempotencyConflict, UserDisabled, Maintenance: as `submit_task`.
    """
    check_open(user)
    earlier = idempotency.find_key(user, idempotency_key, body_sha256) if idempotency_key else None
    if earlier is None:
        return None
    # The first answer may still be waiting for the disk.
    harden()
    return Submitted(get_task(UUID(earlier.task_ids[0])), replayed=True)
