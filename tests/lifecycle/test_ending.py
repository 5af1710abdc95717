"""Endings: what is recorded of each, and that what they are made from stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from tasks import errors
from tasks.lifecycle import ending, patience
from tasks.lifecycle.claim import Claimed
from tasks.models import Attempt, Task
from tasks.models.attempt import Outcome

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def claimed(alice: User, submit: Callable[..., Task], claim: Callable[[], Claimed | None]) -> Claimed:
    submit(alice, max_attempts=20)
    attempt = claim()
    assert attempt is not None
    return attempt


def test_timeout_is_recorded_under_the_code_of_what_the_handler_was_interrupted_with(claimed: Claimed) -> None:
    late = ending.timed_out(claimed)
    assert late.outcome == Outcome.TIMED_OUT
    assert late.error is not None
    assert (late.error["code"], late.error["retryable"]) == (errors.TimedOut.code, True)
    assert f"{claimed.timeout_seconds} seconds" in late.error["message"]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (ending.failed, errors.HandlerError("no")),
        (patience.busy_ending, errors.BackendBusy("busy")),
        (patience.unreachable_ending, errors.BackendUnreachable("silent")),
    ],
)
def test_error_is_as_it_was_after_an_ending_was_made_from_it(
    claimed: Claimed, make: Callable[[Claimed, Any], ending.Ending], error: errors.TaskError
) -> None:
    before = dict(vars(error))
    made = make(claimed, error)
    assert made.error is not None
    assert made.error["message"].startswith(error.message)
    assert vars(error) == before


@pytest.mark.parametrize(
    ("outcome", "most", "what"),
    [
        (Outcome.DIED, ending.DEATHS_TO_POISON, "brought its worker down"),
        (Outcome.LOST, ending.LOSSES_TO_POISON, "its node was lost"),
    ],
)
def test_poison_says_what_happened_and_how_often(claimed: Claimed, outcome: Outcome, most: int, what: str) -> None:
    """Attempts that failed otherwise do not count."""
    for number in range(1, most):
        with_others = _after(claimed, [outcome] * (number - 1) + [Outcome.FAILED])
        assert ending.vanished(with_others, outcome).status == "scheduled"
    poisoned = ending.vanished(_after(claimed, [outcome] * (most - 1)), outcome)
    assert poisoned.status == "failed"
    assert poisoned.error is not None
    assert poisoned.error["code"] == errors.POISON
    assert f"{what} {most} times" in poisoned.error["message"]


def _after(claimed: Claimed, outcomes: list[Outcome]) -> Claimed:
    """Return the attempt as it is when these have gone before it."""
    Attempt.objects.filter(task=claimed.id).delete()
    for number, outcome in enumerate(outcomes, 1):
        Attempt.objects.create(
            task_id=claimed.id, number=number, token=uuid4(), outcome=outcome, charged=True, started_at=timezone.now()
        )
    return replace(claimed, attempt_number=len(outcomes) + 1, attempts_charged=len(outcomes))
