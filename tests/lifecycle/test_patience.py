"""Model servers that do not answer: a task waits for them free of charge, but not for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import User
from tasks import errors, registry
from tasks.handlers.diagnostic_echo import EchoResult
from tasks.lifecycle import sweep
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.retry import retry_task
from tasks.models import Attempt, Task
from tasks.models.attempt import Outcome
from tests.attempts import run_attempt
from tests.lifecycle.test_run import Quiet

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

PATIENCE_SECONDS = 60


@pytest.fixture
def attempt(
    alice: User,
    submit: Callable[..., Task],
    claim: Callable[[], Claimed | None],
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> Callable[[type[errors.TaskError]], Task]:
    """Make the next attempt of alice's one task, whose handler raises what is given."""
    settings.BACKEND_PATIENCE_SECONDS = PATIENCE_SECONDS
    raised: list[type[errors.TaskError]] = []

    def handler(_context: object, _data: object) -> EchoResult:
        raise raised[-1]

    echo = registry.get_type("diagnostic.echo")
    monkeypatch.setitem(registry._types, "diagnostic.echo", replace(echo, handler=handler))
    task = submit(alice)

    def make(error: type[errors.TaskError]) -> Task:
        raised.append(error)
        Task.objects.filter(status="scheduled").update(run_after=Now())
        sweep.start_due()
        claimed = claim()
        assert claimed is not None
        run_attempt(claimed, Quiet())
        task.refresh_from_db()
        return task

    return make


def pass_time(seconds: float) -> None:
    """Let all attempts so far be this much older."""
    Attempt.objects.update(started_at=F("started_at") - timedelta(seconds=seconds))


def test_task_is_tried_free_of_charge_and_says_for_how_long(attempt: Callable[..., Task]) -> None:
    attempt(errors.BackendUnreachable)
    pass_time(20)
    task = attempt(errors.BackendUnreachable)
    assert (task.status, task.attempts_charged) == ("scheduled", 0)
    assert explain_wait(task).why == "backend_unreachable"
    assert task.error["message"].startswith("No model server for this work answers. It is tried for another ")
    assert {one.outcome for one in Attempt.objects.all()} == {Outcome.UNREACHABLE}


def test_task_fails_when_patience_has_ended_and_may_be_retried(attempt: Callable[..., Task], alice: User) -> None:
    attempt(errors.BackendUnreachable)
    pass_time(PATIENCE_SECONDS + 1)
    task = attempt(errors.BackendUnreachable)
    assert (task.status, task.error["code"], task.error["retryable"]) == ("failed", "backend_unreachable", True)
    assert "retry the task" in task.error["message"]
    retry_task(task.pk, by=alice, owner=alice)
    # A person's retry has the whole patience again.
    assert attempt(errors.BackendUnreachable).status == "scheduled"


def test_server_that_was_only_busy_in_between_begins_patience_anew(attempt: Callable[..., Task]) -> None:
    attempt(errors.BackendUnreachable)
    pass_time(PATIENCE_SECONDS + 1)
    assert attempt(errors.BackendBusy).error["code"] == "backend_busy"
    assert attempt(errors.BackendUnreachable).status == "scheduled"


def test_busy_servers_are_waited_for_without_an_end(attempt: Callable[..., Task]) -> None:
    for _ in range(3):
        assert attempt(errors.BackendBusy).status == "scheduled"
        pass_time(10 * PATIENCE_SECONDS)


def test_without_patience_the_first_silence_is_the_end(attempt: Callable[..., Task], settings: Any) -> None:
    settings.BACKEND_PATIENCE_SECONDS = 0
    assert attempt(errors.BackendUnreachable).status == "failed"
