"""Submission of several tasks as one batch: one promise, with a problem at each item that was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from accounts.limits import Limits, limits_of
from accounts.models import User
from tasks import errors
from tasks.faults import summary_of
from tasks.lifecycle import admit, idempotency, outbox
from tasks.lifecycle.accept import accept, check_open, insert
from tasks.lifecycle.after_commit import first_status
from tasks.lifecycle.deadlocks import again_after_deadlock
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.submission import Accepted, Submission, SubmittedBatch
from tasks.models import Batch, IdempotencyKey
from tasks.statuses import shown_status


def submit_batch(
    user: User,
    submissions: Sequence[Submission | errors.Refused],
    *,
    name: str = "",
    atomic: bool = False,
    idempotency_key: str | None = None,
    body_sha256: str = "",
) -> SubmittedBatch:
    """Accept several tasks as one batch. Opens its own transactions.

    A batch counts once against the rate a minute and once per task against the day and the waiting.
    Quotas hold for the accepted items as a whole: the batch is refused when they do not fit.

    Args:
        submissions: an item that the caller found faulty already is the refusal itself.
        atomic: refuse all when one item is refused, instead of naming the problem at that item.

    Raises:
        As `submit_task`; with `atomic`, InvalidInput names every faulty item by pointer.
    """
    submitted, accepted = _promise_batch(
        user,
        submissions,
        name=name,
        atomic=atomic,
        idempotency_key=idempotency_key,
        body_sha256=body_sha256,
    )
    fill_soon({item.lane for item in accepted}, newcomers=[item.id for item in accepted])
    return submitted


@again_after_deadlock
def _promise_batch(
    user: User,
    submissions: Sequence[Submission | errors.Refused],
    *,
    name: str,
    atomic: bool,
    idempotency_key: str | None,
    body_sha256: str,
) -> tuple[SubmittedBatch, Sequence[Accepted]]:
    """Commit the batch, as `_promise_tasks`; return it with its new tasks."""
    check_open(user)
    limits = limits_of(user)
    if idempotency_key and (earlier := idempotency.find(user, idempotency_key, body_sha256)):
        return SubmittedBatch(_batch_of(earlier), replayed=True), ()
    try:
        accepted, items = _accept_items(user, limits, submissions, atomic=atomic)
    except errors.InvalidInput:
        admit.count_request(user, limits)
        raise
    batch = Batch(owner=user, name=name, items=items)
    with transaction.atomic(durable=True):
        ids = [item.id for item in accepted]
        is_first = idempotency.reserve(user, idempotency_key, body_sha256, ids, batch_id=batch.id)
        if is_first:
            accepted = admit.admit(user, limits, accepted)
            batch.save(force_insert=True)
            accepted = insert(user, accepted, batch=batch.id)
            outbox.note_webhooks(accepted)
    if not is_first:
        return _promise_batch(
            user,
            submissions,
            name=name,
            atomic=atomic,
            idempotency_key=idempotency_key,
            body_sha256=body_sha256,
        )
    counts = Counter(shown_status(first_status(item), None) for item in accepted)
    return SubmittedBatch(batch, counts=counts), accepted


def _accept_items(
    user: User, limits: Limits, submissions: Sequence[Submission | errors.Refused], *, atomic: bool
) -> tuple[list[Accepted], list[dict[str, Any]]]:
    accepted: list[Accepted] = []
    items: list[dict[str, Any]] = []
    faults: list[dict[str, str]] = []
    for number, submission in enumerate(submissions):
        try:
            if isinstance(submission, errors.Refused):
                raise submission
            item = accept(user, limits, submission)
            if submission.reuse:
                raise errors.NotReusable("`reuse` is for single tasks: a batch is watched as the tasks it made.")
        except errors.Refused as error:
            found = list(getattr(error, "errors", []))
            detail = error.message if isinstance(submission, errors.Refused) else submission.place + error.message
            items.append({"problem": {"code": error.code, "detail": detail, "errors": found}})
            plain = {"pointer": "", "code": error.code, "detail": detail}
            faults += [fault | {"pointer": f"/tasks/{number}{fault['pointer']}"} for fault in found or [plain]]
        else:
            accepted.append(item)
            items.append({"id": str(item.id)})
    if faults and atomic:
        detail = f"Nothing was submitted: some tasks of this atomic batch are faulty. {summary_of(faults, len(faults))}"
        raise errors.BatchRefused(detail, errors=faults)
    return accepted, items


def _batch_of(key: IdempotencyKey) -> Batch:
    assert key.batch_id is not None, "the key was used for a single task"
    return Batch.objects.get(pk=key.batch_id)
