"""Submission: from a request to rows that are held in the user's lane.

Two transactions. The first is durable and is the promise behind a 202; the second, asynchronous,
fills the lane. If the second is lost, the sweep sees a held task beside a free slot.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from psycopg.types.json import Jsonb

from accounts.limits import Limits, limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.faults import summary_of
from tasks.lifecycle import admit, announce, depend, estimate, idempotency, places, reuse
from tasks.lifecycle.after_commit import first_status, read_back
from tasks.lifecycle.again import again_after_deadlock
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.read import get_task
from tasks.lifecycle.validate import Checked, validate_submission
from tasks.models import Batch, IdempotencyKey, Task
from tasks.models.ids import new_id
from tasks.statuses import shown_status


@dataclass(frozen=True)
class Submission:
    """What a user asks for. Durations are seconds; None leaves the choice to the task type.

    `keep` is how long input and result are kept once it has ended; None is as long as the plan keeps them.
    `needs` are tasks that must have succeeded first, `after` tasks that must have ended, however they did.
    `reuse` takes an earlier result of the same work where there is one.
    `webhook` is the id of an endpoint, or a URL: it hears how the task ended.
    `queue`, `internal` (allow a type that users may not submit), `id` and `place` (with which faults in a batch begin)
    are for our own code: no request sets them.
    """

    type: str
    input: Any
    priority: int | None = None
    run_after: datetime | None = None
    start_before: datetime | None = None
    timeout: int | None = None
    max_attempts: int | None = None
    keep: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    on_quota: Literal["reject", "downgrade"] = "reject"
    needs: Sequence[UUID] = ()
    after: Sequence[UUID] = ()
    webhook: str | None = None
    reuse: bool = False
    copy_of: UUID | None = None
    queue: str | None = None
    internal: bool = False
    id: UUID | None = None
    place: str = ""


@dataclass(frozen=True)
class Accepted:
    """A validated submission with everything decided: one item of `insert_tasks.sql`."""

    id: UUID
    type: str
    queue: str
    cluster: str
    lane: int
    priority: int
    priority_requested: int
    priority_reason: str
    est_seconds: float
    size_bucket: int
    input_hash: UUID | None
    waits: bool
    max_attempts: int
    timeout_seconds: int
    keep_days: int
    keep_seconds: int | None
    run_after: datetime | None
    start_before: datetime | None
    copy_of: UUID | None
    started_by: UUID | None
    input: Any
    metadata: Mapping[str, Any]
    tags: Sequence[str]
    on_quota: str
    needs: Sequence[UUID]
    after: Sequence[UUID]
    webhook: announce.Webhook | None = None
    # Something that it needs has not ended yet; decided when that is locked.
    waiting: bool = False


@dataclass(frozen=True)
class Submitted:
    """The task; `replayed` when an idempotency key gave an earlier one, `reused` when it did the same before."""

    task: Task
    replayed: bool = False
    reused: bool = False


@dataclass(frozen=True)
class SubmittedBatch:
    """The batch; `batch.items` has an id or a problem for each submission, in their order.

    `counts` are the tasks by shown status, as they were stored; None for a replay.
    """

    batch: Batch
    replayed: bool = False
    counts: Counter[str] | None = None


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
            announce.note_webhooks(accepted)
    if not is_first:
        return _promise_tasks(user, submissions, idempotency_key=idempotency_key, body_sha256=body_sha256)
    return _Promised(accepted, earlier=same)


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
            announce.note_webhooks(accepted)
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


def check_open(user: User) -> None:
    if settings.MAINTENANCE:
        raise errors.Maintenance
    if not user.is_active:
        raise errors.UserDisabled


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


def _accept_chain(user: User, limits: Limits, submissions: Sequence[Submission]) -> list[Accepted]:
    accepted: list[Accepted] = []
    for submission in submissions:
        accepted.append(accept(user, limits, submission, beside=[task.id for task in accepted]))
    return accepted


def accept(
    user: User,
    limits: Limits,
    submission: Submission,
    *,
    started_by: UUID | None = None,
    beside: Collection[UUID] = (),
) -> Accepted:
    """Validate a submission and decide all of it that needs no lock. May wait for names and servers: no transaction.

    Args:
        beside: tasks that will be stored before it in the same transaction, so that it may need them.

    Raises:
        UnknownTaskType, InvalidInput, EngineUnavailable: the request cannot be run here.
    """
    checked = validate_submission(user, limits, submission, beside=beside)
    return decide(user, limits, submission, checked, started_by=started_by)


def decide(
    user: User, limits: Limits, submission: Submission, checked: Checked, *, started_by: UUID | None = None
) -> Accepted:
    """Decide all of a validated submission that needs no lock; waits for nothing but the database.

    Raises:
        EngineUnavailable: the queue of its type does not exist.
        InvalidInput: its webhook endpoint does not exist, or is disabled.
    """
    definition = checked.definition
    bucket = estimate.size_bucket(checked.input, checked.files)
    queue, cluster = places.queue_and_cluster(submission.queue or definition.queue)
    priority = submission.priority if submission.priority is not None else min(definition.priority, limits.max_priority)
    return Accepted(
        id=submission.id or new_id(),
        type=definition.name,
        queue=queue,
        cluster=cluster,
        lane=places.lane_of(user, cluster, limits),
        priority=priority,
        priority_requested=priority,
        priority_reason="",
        est_seconds=estimate.est_seconds(definition, bucket),
        size_bucket=bucket,
        # What it stands for is not known yet, where the input refers to another task's result.
        input_hash=None if checked.has_references else reuse.input_hash(definition, checked.input, checked.files),
        waits=definition.waits,
        max_attempts=submission.max_attempts or definition.max_attempts,
        timeout_seconds=submission.timeout or min(definition.timeout, limits.longest_timeout),
        keep_days=limits.keep_days,
        keep_seconds=submission.keep,
        run_after=submission.run_after,
        start_before=submission.start_before,
        copy_of=submission.copy_of,
        started_by=started_by,
        input=checked.input,
        metadata=dict(submission.metadata),
        tags=list(submission.tags),
        on_quota=submission.on_quota,
        needs=checked.needs,
        after=tuple(submission.after),
        webhook=announce.find_webhook(user, submission.webhook) if submission.webhook is not None else None,
    )


def insert(user: User, accepted: Sequence[Accepted], *, batch: UUID | None = None) -> list[Accepted]:
    """Insert admitted tasks and return them as stored. Needs a transaction that holds the user's usage row.

    Raises:
        InvalidInput: a task that is needed has failed or vanished meanwhile.
    """
    stored = depend.wait_for_needs(user, accepted)
    if stored:
        rows = Jsonb([vars(item) for item in stored], dumps=partial(json.dumps, default=_plain))
        sql.send("insert_tasks", {"items": rows, "owner": user.pk, "batch": batch})
        depend.insert_dependencies(stored)
    return stored


def _plain(value: object) -> str:
    # Ids and times; `default=str` would hide a mistake.
    assert isinstance(value, UUID | datetime), type(value)
    return str(value)


def _batch_of(key: IdempotencyKey) -> Batch:
    assert key.batch_id is not None, "the key was used for a single task"
    return Batch.objects.get(pk=key.batch_id)
