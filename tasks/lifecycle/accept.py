"""Acceptance: all of a submission that is decided before it is stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.limits import Limits
from accounts.models import User
from tasks import errors, tracing
from tasks.lifecycle import fit, outbox, reuse, routing
from tasks.lifecycle.submission import Accepted, Submission
from tasks.lifecycle.validate import Checked, validate_submission
from tasks.models import File
from tasks.models.ids import new_id


class Place(NamedTuple):
    """Where a user's tasks of a queue go."""

    queue: str
    cluster: str
    lane: int


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
    places: dict[str, Place] | None = None,
    files_read: Mapping[UUID, File] = MappingProxyType({}),
) -> Accepted:
    """Validate a submission and decide all of it that needs no lock. May wait for names and servers: no transaction.

    Args:
        beside: tasks that will be stored before it in the same transaction, so that it may need them.
        places: by queue, for several submissions in a row; those that are missing are added.
        files_read: as for `validate_submission`.

    Raises:
        UnknownTaskType, InvalidInput, EngineUnavailable: the request cannot be run here.
    """
    checked = validate_submission(user, limits, submission, beside=beside, files_read=files_read)
    return decide(user, limits, submission, checked, started_by=started_by, places=places)


def decide(
    user: User,
    limits: Limits,
    submission: Submission,
    checked: Checked,
    *,
    started_by: UUID | None = None,
    places: dict[str, Place] | None = None,
) -> Accepted:
    """Decide all of a validated submission that needs no lock; waits for nothing but the database.

    Raises:
        EngineUnavailable: the queue of its type does not exist.
        InvalidInput: its webhook endpoint does not exist, or is disabled.
    """
    definition = checked.definition
    place = _place_of(user, submission.queue or definition.queue, {} if places is None else places)
    priority = submission.priority if submission.priority is not None else min(definition.priority, limits.max_priority)
    return Accepted(
        id=submission.id or new_id(),
        type=definition.name,
        queue=place.queue,
        cluster=place.cluster,
        lane=place.lane,
        priority=priority,
        priority_requested=priority,
        priority_reason="",
        est_seconds=fit.est_seconds(definition, checked.work, checked.bucket),
        size_bucket=checked.bucket,
        # What it stands for is not known yet, where the input refers to another task's result.
        input_hash=None if checked.has_references else reuse.input_hash(checked),
        waits=definition.waits,
        max_attempts=submission.max_attempts or definition.max_attempts,
        timeout_seconds=fit.timeout_of(definition, limits, submission, checked.work, checked.bucket),
        keep_days=limits.keep_days,
        keep_seconds=submission.keep,
        run_after=submission.run_after,
        start_before=submission.start_before,
        copy_of=submission.copy_of,
        started_by=started_by,
        input=checked.input,
        metadata=dict(submission.metadata),
        name=submission.name,
        tags=list(submission.tags),
        on_quota=submission.on_quota,
        needs=checked.needs,
        after=tuple(submission.after),
        webhook=outbox.find_webhook(user, submission.webhook) if submission.webhook is not None else None,
        traceparent=tracing.origin(f"submit {definition.name}"),
    )


def _place_of(user: User, queue: str, known: dict[str, Place]) -> Place:
    if queue not in known:
        name, cluster = routing.queue_and_cluster(queue)
        known[queue] = Place(name, cluster, routing.lane_of(user, cluster))
    return known[queue]
