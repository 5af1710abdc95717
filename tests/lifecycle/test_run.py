"""Running: what a handler says and raises ends up on the task, whatever goes wrong around it."""

from __future__ import annotations

import logging
import math
import multiprocessing
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks import errors, log_fields, registry
from tasks.context import Context
from tasks.handlers.diagnostic_echo import EchoResult
from tasks.lifecycle import ending, finish, run, sweep
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.retry import retry_task
from tasks.models import Attempt, Event, Task
from tasks.models.attempt import Outcome
from tasks.registry import EngineInfo
from tests.attempts import run_attempt

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]


class Quiet:
    """Nobody interrupts."""

    def arm(self) -> None: ...

    def disarm(self) -> bool:
        return False

    def check(self) -> None: ...

    def end(self) -> None: ...


@pytest.fixture
def run_as(
    alice: User, submit: Submit, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Context], str | None]], Task]:
    """Run a task of alice whose handler does, and returns as its text, what is given."""

    def run_it(work: Callable[[Context], str | None]) -> Task:
        def handler(ctx: Context, _data: object) -> EchoResult:
            return EchoResult(
                text=work(ctx) or "done", attempt=ctx.attempt, engine=EngineInfo(name="test", version="1")
            )

        echo = registry.get_type("diagnostic.echo")
        monkeypatch.setitem(registry._types, "diagnostic.echo", replace(echo, handler=handler))
        submit(alice)
        claimed = claim()
        assert claimed is not None
        run_attempt(claimed, Quiet())
        return Task.objects.get(pk=claimed.id)

    return run_it


class About(logging.Handler):
    """Keeps what the lines of a logger are about."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[log_fields.Fields] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(log_fields.current())


def test_log_lines_of_a_handler_of_what_it_forks_and_of_its_end_are_about_its_attempt(
    run_as: Callable[..., Task], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork = multiprocessing.get_context("fork")
    seen, about = fork.SimpleQueue(), About()

    def see() -> None:
        seen.put(dict(log_fields.current()))

    def work(_ctx: Context) -> None:
        see()
        child = fork.Process(target=see)
        child.start()
        child.join()

    monkeypatch.setattr(run.logger, "level", logging.INFO)
    run.logger.addHandler(about)
    try:
        task = run_as(work)
    finally:
        run.logger.removeHandler(about)
    fields = {"task_id": str(task.pk), "attempt": 1, "user_id": alice.pk}
    assert [seen.get(), seen.get(), *about.kept] == [fields] * 3
    assert log_fields.current() == {}


def test_last_words_of_a_handler_that_fails_are_in_the_log(run_as: Callable[..., Task]) -> None:
    def work(ctx: Context) -> None:
        for line in ("one", "two", "three"):
            ctx.log(line)
        raise errors.GiveUp("no more")

    task = run_as(work)
    assert task.status == "failed"
    assert [event.data["text"] for event in Event.objects.filter(task=task).order_by("id")] == ["one", "two", "three"]


@pytest.mark.parametrize("after", [1e18, math.inf, math.nan, -5.0])
def test_absurd_wait_that_a_handler_asks_for_is_cut_to_what_can_be_stored(
    run_as: Callable[..., Task], after: float
) -> None:
    def work(ctx: Context) -> None:
        raise errors.Retry("later", after=after)

    task = run_as(work)
    assert (task.status, task.attempts_charged) == ("scheduled", 1)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    "fault",
    [Unprintable(), errors.GiveUp(ValueError("not a text")), errors.Snooze(seconds="5"), errors.Retry(after="5")],  # type: ignore[arg-type]
)
def test_attempt_ends_even_when_what_the_handler_raised_is_faulty(
    run_as: Callable[..., Task], fault: Exception
) -> None:
    def work(ctx: Context) -> None:
        raise fault

    assert run_as(work).status in {"failed", "scheduled"}


def test_database_restart_while_a_handler_works_costs_no_attempt(run_as: Callable[..., Task]) -> None:
    def work(ctx: Context) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        finally:
            other.close()
        ctx.save("page.txt", b"the work of an hour", "text/plain")

    assert run_as(work).status == "succeeded"


def test_unstorable_keeping_time_does_not_run_the_task_for_ever(
    make_user: Callable[..., User], submit: Submit, claim: Claim
) -> None:
    carol = make_user("carol", keep_days=2_000_000_000)
    submit(carol)
    claimed = claim()
    assert claimed is not None
    assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    assert Task.objects.get(pk=claimed.id).status == "succeeded"


def test_task_that_was_put_off_forty_thousand_times_is_still_claimed(
    alice: User, bob: User, submit: Submit, claim: Claim
) -> None:
    first = submit(alice)
    submit(bob)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE task SET attempt_number = 32767 WHERE id = %s", [first.pk])
    claimed = [claim(), claim()]
    assert {attempt.id for attempt in claimed if attempt} >= {first.pk}
    for attempt in claimed:
        assert attempt is not None
        assert finish.finish_attempt(attempt, ending.succeeded({"engine": {}}))


def test_task_whose_model_servers_are_busy_waits_longer_each_time_and_at_most_half_a_minute(
    alice: User, submit: Submit, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(_ctx: Context, _data: object) -> EchoResult:
        raise errors.BackendBusy

    echo = registry.get_type("diagnostic.echo")
    monkeypatch.setitem(registry._types, "diagnostic.echo", replace(echo, handler=handler))
    task = submit(alice)
    waits = []
    for _ in range(6):
        claimed = claim()
        assert claimed is not None
        run_attempt(claimed, Quiet())
        task.refresh_from_db()
        ended_at = Attempt.objects.get(token=claimed.token).finished_at
        waits.append((task.run_after - ended_at).total_seconds())
        Task.objects.update(run_after=Now())
        assert sweep.start_due() == 1
    assert waits == [pytest.approx(seconds, rel=0.21) for seconds in (2, 4, 8, 16, 25, 25)]
    assert max(waits) <= 30
    assert task.attempts_charged == 0


def test_retried_poison_task_has_its_three_lives_again(alice: User, submit: Submit, claim: Claim) -> None:
    task = submit(alice, max_attempts=10)

    def die() -> str:
        Task.objects.filter(pk=task.pk, status="scheduled").update(status="ready", rank=0, run_after=None)
        claimed = claim()
        assert claimed is not None
        finish.record_ending(claimed, ending.vanished(claimed, Outcome.DIED))
        return Task.objects.get(pk=task.pk).status

    assert [die(), die(), die()] == ["scheduled", "scheduled", "failed"]
    retry_task(task.pk, by=alice, owner=alice)
    assert [die(), die(), die()] == ["scheduled", "scheduled", "failed"]
    assert Attempt.objects.filter(task=task, outcome="died").count() == 6


def test_exception_that_the_type_gives_up_on_is_not_tried_again(
    run_as: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(ctx: Context) -> None:
        raise ZeroDivisionError("no")

    _set_policy(monkeypatch, registry.RetryPolicy(give_up_on=(ArithmeticError,)))
    task = run_as(work)
    assert (task.status, task.error["retryable"]) == ("failed", False)


def test_exception_may_have_a_policy_of_its_own(run_as: Callable[..., Task], monkeypatch: pytest.MonkeyPatch) -> None:
    def work(ctx: Context) -> None:
        raise ConnectionResetError("gone")

    slow = registry.RetryPolicy(base_seconds=3000.0, cap_seconds=9000.0)
    _set_policy(monkeypatch, registry.RetryPolicy(by_exception=[(OSError, slow)]))
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)
    task = run_as(work)
    assert task.status == "scheduled"
    assert (task.run_after - task.started_at).total_seconds() == pytest.approx(6000, abs=5)


def _set_policy(monkeypatch: pytest.MonkeyPatch, policy: registry.RetryPolicy) -> None:
    echo = registry.get_type("diagnostic.echo")
    monkeypatch.setitem(registry._types, "diagnostic.echo", replace(echo, retry=policy))


def test_type_that_does_not_declare_it_cannot_look_through_files(run_as: Callable[..., Task]) -> None:
    task = run_as(lambda ctx: ctx.files_of_owner() and None)
    assert task.error is not None
    assert (task.error["code"], "searches_files" in task.error["message"]) == ("gave_up", True)


def test_the_size_of_a_result_is_counted_in_bytes(
    run_as: Callable[[Callable[[Context], str | None]], Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MAX_RESULT_BYTES", 1000)
    task = run_as(lambda ctx: "海鸥" * 200)

    assert task.status == "failed"
    assert task.error is not None
    assert "at most" in task.error["message"]
