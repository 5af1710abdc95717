"""Copying: the same work again as a new task, unchanged or with other input and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from accounts.limits import Limits, limits_of
from accounts.models import User
from tasks import errors
from tasks.lifecycle.read import read_task
from tasks.lifecycle.submission import Submission
from tasks.lifecycle.validate import DAY_SECONDS, LEAST_KEEP
from tasks.models import Task, TaskContent


def copied_submission(task_id: UUID, changes: Mapping[str, Any], *, owner: User) -> Submission:
    """Return the submission of a task's work again as a new task, whatever became of the first.

    Args:
        changes: fields of `Submission` that are to be different. Times (`run_after`, `start_before`) are never
            taken over; what a plan has lowered since is lowered with it. Another input gets as much time as it needs.

    Raises:
        NotFound: no such task of the owner.
        ContentPurged: its content was purged, and `changes` has no other input.
    """
    task, content = read_task(task_id, owner.pk)
    if content is None and "input" not in changes:
        raise errors.ContentPurged("The content of this task was purged, so there is nothing to copy: send an input.")
    other_work = "input" in changes and "timeout" not in changes
    return replace(_as_submitted(task, content, limits_of(owner)), may_take_longer=other_work, **changes)


def _as_submitted(task: Task, content: TaskContent | None, limits: Limits) -> Submission:
    return Submission(
        type=task.type,
        input=content.input if content else {},
        priority=min(task.priority_requested, limits.max_priority),
        timeout=min(task.timeout_seconds, limits.longest_timeout),
        max_attempts=task.max_attempts,
        keep=_kept(task, limits),
        metadata=content.metadata if content else {},
        name=content.name if content else "",
        tags=content.tags if content else [],
        copy_of=task.id,
    )


def _kept(task: Task, limits: Limits) -> int | None:
    most = limits.keep_days * DAY_SECONDS
    return min(task.keep_seconds, most) if task.keep_seconds is not None and most >= LEAST_KEEP else None
