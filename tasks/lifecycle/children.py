"""Tasks that a handler starts: validated when it asks for them, inserted together with the end of its attempt."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors
from tasks.context import Child, ChildTask
from tasks.lifecycle import admit, depend
from tasks.lifecycle.accept import accept
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.store import store
from tasks.lifecycle.submission import Accepted, Submission
from tasks.lifecycle.validate import check_storable
from tasks.models import Dependency, Task
from tasks.statuses import Status

MOST_CHILDREN = 1000


class ChildrenStarted(BaseException):
    """Ends the attempt of a handler that started other tasks. `except Exception` lets it pass."""

    def __init__(self, started: Sequence[tuple[Accepted, str]]) -> None:
        self.started = started


def read_children(task: UUID) -> list[Child]:
    """Return the tasks that this one started, in the order in which it did."""
    started = Dependency.objects.filter(task=task, key__isnull=False).select_related("needs__content").order_by("pk")
    return [_child(dependency.needs, dependency.key or "") for dependency in started]


def accept_children(claimed: Claimed, wanted: Sequence[ChildTask]) -> list[tuple[Accepted, str]]:
    """Validate the tasks that a handler wants to start: for its owner, at its priority or lower, free of allowances.

    Raises:
        GiveUp: none or too many, or one that could not be submitted either.
    """
    count = Dependency.objects.filter(task=claimed.id, key__isnull=False).count() + len(wanted)
    if not wanted or count > MOST_CHILDREN:
        raise errors.GiveUp(f"A task starts between 1 and {MOST_CHILDREN} others.")
    owner = User.objects.select_related("plan").get(pk=claimed.owner_id)
    limits = limits_of(owner)
    own, keep = Task.objects.values_list("priority", "keep_seconds").get(pk=claimed.id)
    priority = min(own, admit.HIGHEST_FREE)
    started = []
    for child in wanted:
        submission = Submission(child.type, child.input, priority=min(priority, limits.max_priority))
        try:
            check_storable(child.key, "/key")
            # Kept as long as what starts it was asked to be, whatever the plan has become since.
            accepted = accept(owner, limits, submission, started_by=claimed.id)._replace(keep_seconds=keep)
        except errors.Refused as error:
            raise errors.GiveUp(f"The part {child.key!r} cannot be started. {error.message}") from error
        if claimed.id in accepted.needs:
            raise errors.GiveUp(f"The part {child.key!r} needs the result of what starts it: both would wait for ever.")
        started.append((accepted, child.key))
    return started


def insert_started(claimed: Claimed, started: Sequence[tuple[Accepted, str]]) -> None:
    """Insert accepted children and what their starter waits for. Needs a transaction.

    They count against the owner's day and waiting, not against the rate.

    Raises:
        QuotaExceeded: the owner's plan has no room for them.
    """
    owner = User.objects.select_related("plan").get(pk=claimed.owner_id)
    limits = limits_of(owner)
    store(owner, limits, [child for child, _ in started], rate=False)
    depend.insert_started(claimed.id, started)


def _child(task: Task, key: str) -> Child:
    content = getattr(task, "content", None)
    return Child(
        id=task.pk,
        type=task.type,
        key=key,
        status=task.shown_status,
        done=task.done,
        result=content.result if content and task.status == Status.SUCCEEDED else None,
        error=task.error,
        progress=task.progress_fraction or 0.0,
    )
