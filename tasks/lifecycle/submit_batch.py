"""Submission of several tasks as one batch: one promise, with a problem at each item that was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from accounts.limits import Limits
from accounts.models import User
from tasks import errors
from tasks.faults import summary_of
from tasks.lifecycle.accept import Place, accept
from tasks.lifecycle.as_stored import first_status
from tasks.lifecycle.promise import Promise, promise
from tasks.lifecycle.submission import Accepted, Submission, SubmittedBatch
from tasks.lifecycle.validate import read_files
from tasks.models import Batch
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

    def prepare(limits: Limits) -> Promise:
        accepted, items = _accept_items(user, limits, submissions, atomic=atomic)
        return Promise([task.id for task in accepted], accepted, Batch(owner=user, name=name, items=items))

    promised = promise(user, prepare, idempotency_key=idempotency_key, body_sha256=body_sha256)
    assert promised.batch is not None, "the key was used for a single task"
    if promised.replayed:
        return SubmittedBatch(promised.batch, replayed=True)
    stored_at = promised.created_at
    statuses = Counter(first_status(task, stored_at) for task in promised.tasks) if stored_at is not None else {}
    counts: Counter[str] = Counter()
    for status, count in statuses.items():
        counts[shown_status(status, None)] += count
    return SubmittedBatch(promised.batch, counts=counts, usage=promised.usage)


def _accept_items(
    user: User, limits: Limits, submissions: Sequence[Submission | errors.Refused], *, atomic: bool
) -> tuple[list[Accepted], list[dict[str, Any]]]:
    accepted: list[Accepted] = []
    items: list[dict[str, Any]] = []
    faults: list[errors.Fault] = []
    places: dict[str, Place] = {}
    files_read = read_files(user, (one for one in submissions if isinstance(one, Submission)))
    for number, submission in enumerate(submissions):
        try:
            if isinstance(submission, errors.Refused):
                raise submission
            item = accept(user, limits, submission, places=places, files_read=files_read)
            if submission.reuse:
                raise errors.NotReusable("`reuse` is for single tasks: a batch is watched as the tasks it made.")
        except errors.Refused as error:
            found: list[errors.Fault] = list(getattr(error, "errors", []))
            detail = error.message if isinstance(submission, errors.Refused) else submission.place + error.message
            items.append({"problem": {"code": error.code, "detail": detail, "errors": found}})
            plain = errors.Fault("", error.code, detail)
            faults += [fault.moved(f"/tasks/{number}{fault.pointer}") for fault in found or [plain]]
        else:
            accepted.append(item)
            items.append({"id": str(item.id)})
    if faults and atomic:
        detail = f"Nothing was submitted: some tasks of this atomic batch are faulty. {summary_of(faults, len(faults))}"
        raise errors.BatchRefused(detail, errors=faults)
    return accepted, items
