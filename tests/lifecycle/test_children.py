"""Tasks that a handler starts: with the end of its attempt or not at all; it goes on when they have ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now
from pydantic import Field

from accounts.models import User
from tasks import errors, registry
from tasks.context import ChildTask, Context
from tasks.figures.outlook import read_outlooks, recommended_batch
from tasks.lifecycle import ending, finish, sweep
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.retry import retry_task
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Attempt, Lane, Task, Usage
from tasks.registry import EngineInfo, Input, Result, task_type
from tests.attempts import Uninterrupted, run_attempt

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]


class PartsInput(Input):
    messages: list[str] = Field(max_length=2000)
    cancels: bool = False
    needs_itself: bool = False


class PartsResult(Result):
    texts: list[str | None]
    calls: int


@pytest.fixture(autouse=True)
def _parts_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """A type that echoes each message by a task of its own."""
    registry.all_types()
    monkeypatch.setattr(registry, "_types", dict(registry._types))

    @task_type(name="test.parts", title="Parts", description="", queue="diagnostics", input=PartsInput,
               result=PartsResult, example={"messages": []})  # fmt: skip
    def parts(ctx: Context, data: PartsInput) -> PartsResult:
        there = {child.key: child for child in ctx.children()}
        missing = [message for message in data.messages if message not in there]
        if data.cancels:
            Task.objects.filter(pk=ctx.task_id).update(cancel_requested_at=Now())
        if data.needs_itself:
            ctx.start_children([ChildTask("diagnostic.echo", {"message": {"$from": str(ctx.task_id)}})])
        if missing:
            ctx.start_children(
                [
                    ChildTask("diagnostic.echo", {"message": message}, key="\0" if message == "nul" else message)
                    for message in missing
                ]
            )
        texts = [child.result["text"] if child.result else None for child in there.values()]
        return PartsResult(texts=texts, calls=ctx.attempt, engine=EngineInfo(name="t", version="1"))


def submit_parts(user: User, *messages: str, **options: Any) -> Task:
    return submit_task(user, Submission("test.parts", {"messages": list(messages)}, **options)).task


def parts_done(task: Task) -> tuple[str, int]:
    task.refresh_from_db()
    return task.status, Task.objects.filter(started_by=task.pk).count()


def run_next(claim: Claim) -> Claimed:
    claimed = claim()
    assert claimed is not None
    assert run_attempt(claimed, Uninterrupted())
    return claimed


def test_handler_goes_on_when_all_that_it_started_has_ended(alice: User, claim: Claim) -> None:
    task = submit_parts(alice, "a", "b")
    run_next(claim)
    task.refresh_from_db()
    assert (task.status, task.attempts_charged) == ("waiting", 0)
    assert Task.objects.filter(started_by=task.pk, status="ready").count() == 2
    assert Lane.objects.get(user=alice).taken == 2
    run_next(claim)
    task.refresh_from_db()
    assert (task.progress_fraction, task.progress_stage) == (0.5, "1 of 2 parts have ended")
    run_next(claim)
    claimed = claim()
    task.refresh_from_db()
    assert claimed is not None
    assert (task.status, task.progress_fraction) == ("running", 0.5)
    assert run_attempt(claimed, Uninterrupted())
    task.refresh_from_db()
    assert (task.status, task.content.result["texts"], task.content.result["calls"]) == ("succeeded", ["a", "b"], 2)
    assert task.progress_fraction == 1
    assert Lane.objects.get(user=alice).taken == 0


def test_recommended_batch_counts_the_work_of_the_parts(alice: User, claim: Claim) -> None:
    definition = registry.get_type("test.parts")
    submit_parts(alice, "a", "b")
    for _ in range(4):
        run_next(claim)
    # Five seconds each, and hardly anything of its own.
    Attempt.objects.filter(task__type="diagnostic.echo").update(started_at=F("finished_at") - timedelta(seconds=5))
    outlook = read_outlooks(alice, [definition])["test.parts"]
    assert outlook.seconds is not None
    assert 10 <= outlook.seconds[0] < 15
    assert outlook.recommended_batch == recommended_batch(
        slots=alice.plan.slots, seconds=outlook.seconds[0], holding_back=False
    )


def test_part_that_fails_does_not_fail_what_started_it(alice: User, claim: Claim) -> None:
    task = submit_parts(alice, "a", "b")
    run_next(claim)
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.failed(claimed, errors.GiveUp("no")))
    run_next(claim)
    run_next(claim)
    task.refresh_from_db()
    assert task.content.result["texts"] == [None, "b"]


def test_parts_count_against_the_day_and_not_against_the_rate(make_user: Callable[..., User], claim: Claim) -> None:
    user = make_user("carol", per_day=10, per_minute=1)
    submit_parts(user, "a", "b", "c")
    run_next(claim)
    assert Usage.objects.get(user=user).day_count == 4


def test_no_room_for_the_parts_fails_the_attempt_and_starts_none(make_user: Callable[..., User], claim: Claim) -> None:
    user = make_user("carol", per_day=3)
    task = submit_parts(user, "a", "b", "c")
    run_next(claim)
    task.refresh_from_db()
    assert (task.status, task.error["code"]) == ("scheduled", "quota_exceeded")
    assert Task.objects.count() == 1
    assert Lane.objects.get(user=user).taken == 0


def test_superseded_attempt_starts_nothing(alice: User, claim: Claim) -> None:
    submit_parts(alice, "a")
    stale = claim()
    assert stale is not None
    finish.finish_attempt(stale, ending.returned())
    assert not run_attempt(stale, Uninterrupted())
    assert Task.objects.count() == 1


def test_nothing_is_started_when_the_cancellation_came_before_the_end_of_the_attempt(alice: User, claim: Claim) -> None:
    task = submit_task(alice, Submission("test.parts", {"messages": ["a"], "cancels": True})).task
    run_next(claim)
    assert parts_done(task) == ("cancelled", 0)
    assert Attempt.objects.get(task=task).outcome == "cancelled"
    assert Usage.objects.get(user=alice).day_count == 1
    assert Lane.objects.get(user=alice).taken == 0


def test_task_that_started_in_time_does_not_expire_while_it_waits_for_its_parts(alice: User, claim: Claim) -> None:
    task = submit_parts(alice, "a", start_before=datetime.now(UTC) + timedelta(seconds=1))
    run_next(claim)
    # As if that second were over.
    Task.objects.filter(pk=task.pk, start_before__isnull=False).update(start_before=Now() - timedelta(seconds=1))
    sweep.end_cancelled_and_expired()
    run_next(claim)
    run_next(claim)
    assert parts_done(task) == ("succeeded", 1)


def test_part_whose_name_cannot_be_stored_fails_the_task(alice: User, claim: Claim) -> None:
    task = submit_task(alice, Submission("test.parts", {"messages": ["nul"]})).task
    run_next(claim)
    assert parts_done(task) == ("failed", 0)
    task.refresh_from_db()
    assert "NUL" in task.error["message"]


def test_part_that_needs_what_starts_it_is_refused(alice: User, claim: Claim) -> None:
    task = submit_task(alice, Submission("test.parts", {"messages": [], "needs_itself": True})).task
    run_next(claim)
    assert parts_done(task) == ("failed", 0)
    task.refresh_from_db()
    assert "wait for ever" in task.error["message"]


def test_cancelling_while_it_waits_cancels_what_it_started(alice: User, claim: Claim) -> None:
    task = submit_parts(alice, "a", "b")
    run_next(claim)
    cancel_task(task.pk, by=alice)
    task.refresh_from_db()
    assert task.status == "cancelled"
    Task.objects.filter(started_by=task.pk).update(cancel_requested_at="2020-01-01T00:00:00Z")
    sweep.end_cancelled_and_expired()
    assert set(Task.objects.filter(started_by=task.pk).values_list("status", flat=True)) == {"cancelled"}
    assert Lane.objects.get(user=alice).taken == 0


def test_retry_by_a_person_starts_only_what_had_failed(alice: User, claim: Claim) -> None:
    task = submit_parts(alice, "a", "b")
    run_next(claim)
    run_next(claim)
    cancel_task(task.pk, by=alice)
    Task.objects.filter(started_by=task.pk, status="ready").update(cancel_requested_at="2020-01-01T00:00:00Z")
    sweep.end_cancelled_and_expired()
    retry_task(task.pk, by=alice)
    run_next(claim)
    assert Task.objects.filter(started_by=task.pk).count() == 3
    run_next(claim)
    run_next(claim)
    task.refresh_from_db()
    assert task.content.result["texts"] == ["a", "b"]


def test_too_many_parts_fail_the_task_with_the_reason(alice: User, claim: Claim) -> None:
    task = submit_parts(alice, *(str(number) for number in range(1001)))
    run_next(claim)
    task.refresh_from_db()
    assert (task.status, task.error["message"]) == ("failed", "A task starts between 1 and 1000 others.")


def test_attempt_that_started_others_is_recorded_as_such(alice: User, claim: Claim) -> None:
    task = submit_parts(alice, "a")
    run_next(claim)
    assert Attempt.objects.get(task=task).outcome == "started_others"
    run_next(claim)
    run_next(claim)
    assert list(Attempt.objects.filter(task=task).values_list("number", "outcome")) == [
        (1, "started_others"),
        (2, "succeeded"),
    ]
