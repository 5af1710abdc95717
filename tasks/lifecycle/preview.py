"""Previewing: what would become of a submission, found by doing it and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from accounts.limits import limits_of
from accounts.models import User
from tasks import sql
from tasks.lifecycle import admit, fit
from tasks.lifecycle.accept import check_open, decide
from tasks.lifecycle.explain import Wait, explain_wait
from tasks.lifecycle.fill import fill_locked, swap
from tasks.lifecycle.read import get_task
from tasks.lifecycle.store import store
from tasks.lifecycle.submission import Submission
from tasks.lifecycle.validate import validate_submission
from tasks.models import Task
from tasks.registry import Work


@dataclass(frozen=True)
class Preview:
    """The task as it would be right after its submission, why it would wait, and what it would cost.

    `cost` is by policy: burst, day, high-day, urgent-day, waiting. `work` is how much the input is, where its type
    tells, and `expected_seconds` how long an attempt at it takes.
    """

    task: Task
    wait: Wait
    cost: dict[str, int]
    work: Work | None
    expected_seconds: float | None


def preview_task(user: User, submission: Submission) -> Preview:
    """Return what submitting would bring about, by the very statements that submitting uses.

    Everything happens in one transaction that is rolled back, NOTIFY included. Asking is work like submitting, so
    before that it is counted against the rate a minute for good, whatever the answer; `cost` is besides.

    Raises:
        As `submit_task`.
    """
    check_open(user)
    limits = limits_of(user)
    admit.count_request(user, limits)
    checked = validate_submission(user, limits, submission)
    with transaction.atomic(durable=True):
        # Also a lane that the user does not have yet is made and taken back.
        accepted = decide(user, limits, submission, checked)
        store(user, limits, [accepted], rate=False)
        _fill(accepted.lane, accepted.id)
        task = get_task(accepted.id)
        wait = explain_wait(task)
        transaction.set_rollback(True)
    spends = admit.band(task.priority)
    cost = {
        "burst": 1,
        "day": 1,
        "high-day": int(spends == "high"),
        "urgent-day": int(spends == "urgent"),
        "waiting": 1,
    }
    expected = fit.expected_seconds(checked.definition, checked.work, checked.bucket)
    return Preview(task, wait, cost, checked.work, expected)


def _fill(lane: int, task: UUID) -> None:
    """Do as `fill_soon` does for one new task, within the open transaction."""
    sql.execute("lifecycle/lock_lanes", {"lanes": [lane]})
    moved = fill_locked([lane], newcomers=[task])
    while not moved and swap([lane]):
        moved = fill_locked([lane], newcomers=())
