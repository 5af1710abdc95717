"""Acceptance: all of a submission that is decided before it is stored, and its storing."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings
from psycopg.types.json import Jsonb

from accounts.limits import Limits
from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import depend, estimate, outbox, reuse, routing
from tasks.lifecycle.submission import Accepted, Submission
from tasks.lifecycle.validate import Checked, validate_submission
from tasks.models.ids import new_id


def check_open(user: User) -> None:
    if settings.MAINTENANCE:
        raise errors.Maintenance
    if not user.is_active:
        raise errors.UserDisabled


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
    queue, cluster = routing.queue_and_cluster(submission.queue or definition.queue)
    priority = submission.priority if submission.priority is not None else min(definition.priority, limits.max_priority)
    return Accepted(
        id=submission.id or new_id(),
        type=definition.name,
        queue=queue,
        cluster=cluster,
        lane=routing.lane_of(user, cluster, limits),
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
        webhook=outbox.find_webhook(user, submission.webhook) if submission.webhook is not None else None,
    )


def insert(user: User, accepted: Sequence[Accepted], *, batch: UUID | None = None) -> list[Accepted]:
    """Insert admitted tasks and return them as stored. Needs a transaction that holds the user's usage row.

    Raises:
        InvalidInput: a task that is needed has failed or vanished meanwhile.
    """
    stored = depend.wait_for_needs(user, accepted)
    if stored:
        rows = Jsonb([vars(item) for item in stored], dumps=partial(json.dumps, default=_plain))
        sql.execute("lifecycle/insert_tasks", {"items": rows, "owner": user.pk, "batch": batch})
        depend.insert_dependencies(stored)
    return stored


def _plain(value: object) -> str:
    # Ids and times; `default=str` would hide a mistake.
    assert isinstance(value, UUID | datetime), type(value)
    return str(value)
