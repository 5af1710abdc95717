"""Submission: what is accepted is there, what is refused leaves nothing, and quotas are exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks import errors
from tasks.lifecycle import ending, finish
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import IdempotencyKey, Lane, Task, Usage
from tests.claims import claim_task

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def echo(message: str = "hello", **options: object) -> Submission:
    return Submission("diagnostic.echo", {"message": message}, **options)  # type: ignore[arg-type]


def test_submitted_task_gets_a_free_slot_at_once(alice: User) -> None:
    task = submit_task(alice, echo()).task
    assert task.status == "ready"
    assert task.shown_status == "queued"
    assert task.content.input == {"message": "hello"}
    assert Lane.objects.get(user=alice).taken == 1


def test_tasks_beyond_the_slots_are_held(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", slots=2)
    statuses = [submit_task(carol, echo()).task.status for _ in range(4)]
    assert statuses == ["ready", "ready", "held", "held"]


def test_a_hundred_concurrent_submits_leave_exactly_ten_waiting(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", max_waiting=10)

    def submit(_: int) -> str:
        try:
            submit_task(carol, echo())
        except errors.QuotaExceeded as error:
            return error.policy
        finally:
            connection.close()
        return "accepted"

    with ThreadPoolExecutor(20) as pool:
        answers = Counter(pool.map(submit, range(100)))
    assert answers == {"accepted": 10, "waiting": 90}
    assert Task.objects.of(carol).count() == 10


def test_same_key_submitted_in_parallel_makes_one_task(alice: User) -> None:
    def submit(_: int) -> str:
        try:
            return str(submit_task(alice, echo(), idempotency_key="k", body_sha256="b").task.id)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(submit, range(16)))
    assert len(ids) == 1
    assert Task.objects.of(alice).count() == 1
    assert Usage.objects.get(user=alice).day_count == 1


def test_same_key_with_another_body_is_refused(alice: User) -> None:
    submit_task(alice, echo(), idempotency_key="k", body_sha256="one")
    with pytest.raises(errors.IdempotencyConflict):
        submit_task(alice, echo(), idempotency_key="k", body_sha256="two")


def test_refused_submission_keeps_no_idempotency_key(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", max_waiting=0)
    with pytest.raises(errors.QuotaExceeded):
        submit_task(carol, echo(), idempotency_key="k", body_sha256="b")
    assert not IdempotencyKey.objects.exists()


def test_rate_allows_a_minutes_worth_at_once_and_then_refuses(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_minute=3)
    for _ in range(3):
        submit_task(carol, echo())
    with pytest.raises(errors.QuotaExceeded) as refusal:
        submit_task(carol, echo())
    assert refusal.value.policy == "burst"
    assert 1 <= refusal.value.retry_after_seconds <= 20


@pytest.mark.parametrize(
    ("faulty", "refusal"),
    [
        (Submission("no.such.type", {}), errors.UnknownTaskType),
        (Submission("diagnostic.echo", {}), errors.InvalidInput),
        (echo(webhook="https://10.0.0.1/"), errors.InvalidInput),
        (Submission("http.request", {"url": "https://example.com/"}, reuse=True), errors.InvalidInput),
    ],
)
def test_refused_submission_costs_the_rate_and_nothing_else(
    make_user: Callable[..., User], faulty: Submission, refusal: type[errors.Refused]
) -> None:
    carol = make_user("carol", per_minute=3)
    for _ in range(3):
        with pytest.raises(refusal):
            submit_task(carol, faulty)
    usage = Usage.objects.get(user=carol)
    assert (usage.day_count, usage.waiting_bound) == (0, 0)
    for submission in (faulty, echo()):
        with pytest.raises(errors.QuotaExceeded) as exceeded:
            submit_task(carol, submission)
        assert exceeded.value.policy == "burst"
    assert not Task.objects.exists()


def test_replay_is_free(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_minute=1)
    tasks = {submit_task(carol, echo(), idempotency_key="k", body_sha256="b").task.pk for _ in range(3)}
    assert len(tasks) == 1


def test_batch_counts_once_against_the_rate_and_per_task_against_the_day(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_minute=1, per_day=5)
    submit_batch(carol, [echo() for _ in range(5)])
    usage = Usage.objects.get(user=carol)
    assert usage.day_count == 5
    carol.plan.per_minute = 100
    carol.plan.save(update_fields=["per_minute"])
    with pytest.raises(errors.QuotaExceeded) as refusal:
        submit_task(carol, echo())
    assert refusal.value.policy in {"burst", "day"}


def test_spent_allowance_rejects_or_lowers_as_the_submitter_chose(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", max_priority=10, high_per_day=5, urgent_per_day=1)
    assert submit_task(carol, echo(priority=9)).task.priority == 9
    with pytest.raises(errors.QuotaExceeded) as refusal:
        submit_task(carol, echo(priority=9))
    assert refusal.value.policy == "urgent-day"
    lowered = submit_task(carol, echo(priority=9, on_quota="downgrade")).task
    assert (lowered.priority, lowered.priority_requested, lowered.priority_reason) == (6, 9, "urgent_allowance_used")


@pytest.mark.parametrize(
    ("submission", "pointer"),
    [
        (Submission("no.such.type", {}), "/type"),
        (Submission("diagnostic.echo", {"massage": "x"}), "/input/massage"),
        (Submission("diagnostic.echo", {}), "/input/message"),
        (Submission("diagnostic.echo", {"message": "a\0b"}), "/input/message"),
        (Submission("diagnostic.echo", {"message": "x"}, metadata={"a": float("nan")}), "/metadata/a"),
        (Submission("diagnostic.echo", {"message": "x"}, priority=11), "/priority"),
        (Submission("diagnostic.echo", {"message": "x"}, priority=10), "/priority"),
        (Submission("diagnostic.echo", {"message": "x"}, timeout=0), "/timeout"),
        (Submission("pdf.extract", {"file": "0190c6b0-0000-7000-8000-000000000000"}), "/input/file"),
    ],
)
def test_faulty_submission_is_refused_with_a_pointer(alice: User, submission: Submission, pointer: str) -> None:
    with pytest.raises(errors.InvalidInput) as refusal:
        submit_task(alice, submission)
    assert pointer in [fault["pointer"] for fault in refusal.value.errors]
    assert not Task.objects.exists()


def test_batch_names_the_problem_at_its_item_and_accepts_the_rest(alice: User) -> None:
    batch = submit_batch(alice, [echo("one"), Submission("diagnostic.echo", {}), echo("three")], name="mixed").batch
    assert ["id" in item for item in batch.items] == [True, False, True]
    assert batch.tasks.count() == 2


def test_atomic_batch_with_a_fault_submits_nothing(alice: User) -> None:
    with pytest.raises(errors.InvalidInput) as refusal:
        submit_batch(alice, [echo(), Submission("diagnostic.echo", {})], atomic=True)
    assert refusal.value.errors[0]["pointer"] == "/tasks/1/input/message"
    assert not Task.objects.exists()


def test_task_that_was_put_off_counts_as_waiting_again(make_user: Callable[..., User], node: UUID) -> None:
    carol = make_user("carol", slots=2, max_waiting=4)
    for _ in range(2):
        submit_task(carol, echo())
    running = [claim_task(cluster="default", node=node, pid=1, token=uuid4()) for _ in range(2)]
    for _ in range(3):
        submit_task(carol, echo())
    for claimed in running:
        assert claimed is not None
        finish.finish_attempt(claimed, replace(ending.returned(), delay_seconds=60))
    with pytest.raises(errors.QuotaExceeded):
        submit_task(carol, echo())


def test_clock_that_was_set_back_does_not_stop_a_user_for_as_long(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_minute=10)
    submit_task(carol, echo())
    Usage.objects.filter(user=carol).update(burst_at=Now() + timedelta(hours=1))
    submit_task(carol, echo())
