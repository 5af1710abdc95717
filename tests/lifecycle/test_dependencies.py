"""Tasks that wait for other tasks: let go when those end, failed when those fail, never forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import depend, ending, finish, sweep
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.retry import retry_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.lifecycle.validate import validate_submission
from tasks.models import Dependency, Lane, Settlement, Task, Usage
from tests.attempts import Uninterrupted, run_attempt
from tests.locks import wait_for_waiters

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]


def succeed(claim: Claim, **result: object) -> Claimed:
    claimed = claim()
    assert claimed is not None
    assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}, **result}))
    return claimed


def fail(claim: Claim) -> Claimed:
    claimed = claim()
    assert claimed is not None
    assert finish.finish_attempt(claimed, ending.failed(claimed, errors.GiveUp("no")))
    return claimed


def ask(message: object = "hello", **options: Any) -> Submission:
    return Submission("diagnostic.echo", {"message": message}, **options)


def status(task: Task) -> str:
    return Task.objects.values_list("status", flat=True).get(pk=task.pk)


def test_task_waits_until_all_that_it_needs_has_succeeded(alice: User, submit: Submit, claim: Claim) -> None:
    first, second = submit(alice), submit(alice)
    child = submit(alice, needs=[first.pk, second.pk])
    assert child.status == "waiting"
    assert explain_wait(child).why == "waiting_for_tasks"
    succeed(claim)
    assert status(child) == "waiting"
    succeed(claim)
    assert status(child) == "ready"


def test_task_that_needs_what_has_succeeded_starts_at_once(alice: User, submit: Submit, claim: Claim) -> None:
    first = submit(alice)
    succeed(claim)
    assert submit(alice, needs=[first.pk]).status == "ready"


def test_failed_need_fails_the_whole_chain_and_says_why(alice: User, submit: Submit, claim: Claim) -> None:
    first = submit(alice)
    second = submit(alice, needs=[first.pk])
    third = submit(alice, needs=[second.pk])
    fail(claim)
    third.refresh_from_db()
    second.refresh_from_db()
    assert (second.status, third.status) == ("failed", "failed")
    assert second.error["code"] == third.error["code"] == "dependency_failed"
    assert str(first.pk) in second.error["message"]
    assert str(second.pk) in third.error["message"]
    assert not Settlement.objects.exists()
    assert Lane.objects.get(user=alice).taken == 0


def test_cancelled_need_fails_what_waits_for_it(alice: User, submit: Submit) -> None:
    first = submit(alice)
    child = submit(alice, needs=[first.pk])
    cancel_task(first.pk, by=alice)
    child.refresh_from_db()
    assert child.error["message"] == f"The task {first.pk} that this one needs has been cancelled."


def test_task_after_another_starts_however_that_one_ended(alice: User, submit: Submit, claim: Claim) -> None:
    first = submit(alice)
    hook = submit(alice, after=[first.pk])
    assert hook.status == "waiting"
    fail(claim)
    assert status(hook) == "ready"


def test_need_that_has_failed_already_is_refused(alice: User, submit: Submit, claim: Claim) -> None:
    first = submit(alice)
    fail(claim)
    with pytest.raises(errors.InvalidInput) as refused:
        submit(alice, needs=[first.pk])
    assert refused.value.errors[0]["pointer"] == "/needs/0"
    assert submit(alice, after=[first.pk]).status == "ready"


def test_somebody_elses_task_cannot_be_needed(alice: User, bob: User, submit: Submit) -> None:
    theirs = submit(bob)
    with pytest.raises(errors.InvalidInput) as refused:
        submit(alice, needs=[theirs.pk])
    assert refused.value.errors[0]["code"] == "unknown_task"


def test_value_from_a_need_is_put_into_the_input_when_it_runs(alice: User, submit: Submit, claim: Claim) -> None:
    first = submit(alice)
    reference = {"$from": str(first.pk), "path": "lines.1.text"}
    child = submit_task(alice, Submission("diagnostic.echo", {"message": reference})).task
    assert child.status == "waiting"
    assert child.content.needs == [first.pk]
    succeed(claim, lines=[{"text": "a"}, {"text": "b"}])
    claimed = claim()
    assert claimed is not None
    run_attempt(claimed, Uninterrupted())
    child.refresh_from_db()
    assert child.content.result["text"] == "b"


@pytest.mark.parametrize(
    "reference", [{"$from": "x"}, {"$from": str(uuid4()), "path": 1}, {"$from": str(uuid4()), "more": 1}, {"$from": 1}]
)
def test_faulty_reference_is_refused_with_its_place(alice: User, submit: Submit, reference: object) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        submit_task(alice, Submission("diagnostic.echo", {"message": reference}))
    assert refused.value.errors[0]["pointer"] in {"/input/message", "/needs/0"}


def test_faults_beside_a_reference_are_still_found(alice: User, submit: Submit) -> None:
    first = submit(alice)
    with pytest.raises(errors.InvalidInput) as refused:
        submit_task(alice, Submission("diagnostic.echo", {"message": {"$from": str(first.pk)}, "wrong": 1}))
    assert [fault["pointer"] for fault in refused.value.errors] == ["/input/wrong"]


@pytest.mark.parametrize("needed_before", [False, True])
def test_child_submitted_while_its_need_finishes_is_not_forgotten(
    alice: User, submit: Submit, claim: Claim, needed_before: bool
) -> None:
    first = submit(alice)
    if needed_before:
        # Then the mark is there, and nothing but the lock keeps the need from ending unseen.
        submit(alice, needs=[first.pk])
    claimed = claim()
    assert claimed is not None
    done = threading.Event()

    def finish_it() -> None:
        finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
        connection.close()
        done.set()

    thread = threading.Thread(target=finish_it)
    with transaction.atomic():
        # As submit does, up to its commit: the need is locked and marked, and the child is there, unseen by others.
        sql.execute("lifecycle/await_needs", {"tasks": [first.pk], "owner": alice.pk})
        thread.start()
        wait_for_waiters()
        child = Task(
            owner=alice, type="diagnostic.echo", queue_id="diagnostics", cluster="default", status="waiting",
            lane=Lane.objects.get(user=alice), priority=5, priority_requested=5, line_key=0, est_seconds=1,
            max_attempts=1, timeout_seconds=60, keep_days=1,
        )  # fmt: skip
        child.save(force_insert=True)
        Dependency.objects.create(task=child, needs=first)
        assert not done.is_set()
    thread.join(120)
    assert status(child) == "ready"


def test_submission_that_is_the_victim_of_a_deadlock_is_made_again(alice: User, submit: Submit) -> None:
    """Somebody holds the second need and then wants the first: Postgres ends the transaction that finds it out."""
    first, second = submit(alice), submit(alice)
    submitted: list[Task] = []

    def submit_it() -> None:
        with connection.cursor() as cursor:
            # Whoever waits looks once: the submission late enough to find the other waiting, the other too late.
            cursor.execute("SET deadlock_timeout = '3s'")
        submitted.append(submit(alice, needs=[first.pk, second.pk]))
        connection.close()

    thread = threading.Thread(target=submit_it)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL deadlock_timeout = '1min'")
        Task.objects.select_for_update(no_key=True).get(pk=second.pk)
        thread.start()
        wait_for_waiters()
        Task.objects.select_for_update(no_key=True).get(pk=first.pk)
    thread.join(120)
    assert [status(task) for task in submitted] == ["waiting"]
    assert Usage.objects.get(user=alice).day_count == 3


def test_settlement_lost_after_the_end_of_a_need_is_made_up_for(alice: User, submit: Submit, claim: Claim) -> None:
    first = submit(alice)
    child = submit(alice, needs=[first.pk])
    claimed = claim()
    assert claimed is not None
    finish.record_ending(claimed, ending.failed(claimed, errors.GiveUp("no")))
    assert status(child) == "waiting"
    _age_settlements()
    sweep.settle_old()
    assert status(child) == "failed"


def test_cancelling_lost_before_its_dependents_were_told_is_made_up_for(alice: User, submit: Submit) -> None:
    first = submit(alice, "x")
    child = submit(alice, needs=[first.pk])
    grandchild = submit(alice, needs=[child.pk])
    with connection.cursor() as cursor:
        # The cancellation was committed, what follows from it was not.
        cursor.execute("UPDATE task SET cancel_requested_at = now() - interval '9 s' WHERE id = %s", [first.pk])
    sweep.end_cancelled_and_expired()
    assert (status(first), status(child), status(grandchild)) == ("cancelled", "failed", "failed")


def test_retry_of_a_failed_child_waits_for_its_need_again(alice: User, submit: Submit, claim: Claim) -> None:
    first = submit(alice)
    child = submit(alice, needs=[first.pk])
    fail(claim)
    with pytest.raises(errors.WrongStatus, match="retry that one first"):
        retry_task(child.pk, by=alice)
    retry_task(first.pk, by=alice)
    assert retry_task(child.pk, by=alice).status == "waiting"
    succeed(claim)
    assert status(child) == "ready"


def test_retry_of_what_had_ended_before_it_was_waited_for_does_not_hold_up_for_ever(
    alice: User, submit: Submit, claim: Claim
) -> None:
    first, other = submit(alice), submit(alice)
    cancel_task(first.pk, by=alice)
    hook = submit(alice, after=[first.pk, other.pk])
    retry_task(first.pk, by=alice)
    running = {one.id: one for one in (claim(), claim()) if one is not None}
    for task in (other, first):
        finish.finish_attempt(running[task.pk], ending.succeeded({"engine": {}}))
    assert status(hook) == "ready"


def test_needs_work_inside_a_batch_and_a_faulty_one_is_named(alice: User, submit: Submit) -> None:
    first = submit(alice)
    good = Submission("diagnostic.echo", {"message": "x"}, needs=[first.pk])
    bad = Submission("diagnostic.echo", {"message": "x"}, needs=[uuid4()])
    items = submit_batch(alice, [good, bad]).batch.items
    assert Task.objects.get(pk=items[0]["id"]).status == "waiting"
    assert items[1]["problem"]["errors"][0]["pointer"] == "/needs/0"


def test_fan_in_of_many_is_let_go_once(alice: User, submit: Submit, claim: Claim) -> None:
    parents = submit_batch(alice, [Submission("diagnostic.echo", {"message": "x"})] * 20).batch
    child = submit(alice, needs=[UUID(item["id"]) for item in parents.items])
    for _ in range(20):
        assert status(child) == "waiting"
        succeed(claim)
    assert status(child) == "ready"


def _age_settlements() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE settlement SET created_at = created_at - interval '9 s'")


def test_references_cannot_blow_an_input_up(
    alice: User, submit: Submit, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.references.MAX_RESOLVED_BYTES", 100_000)
    first = submit(alice)
    succeed(claim, text="x" * 10_000, number=1)
    reference = {"$from": str(first.pk), "path": "text"}

    def run(count: int) -> Task:
        data = {"method": "POST", "url": "https://127.0.0.1/", "json": [reference] * count}
        child = submit_task(alice, Submission("http.request", data, max_attempts=1)).task
        claimed = claim()
        assert claimed is not None
        run_attempt(claimed, Uninterrupted())
        child.refresh_from_db()
        return child

    # As often as it fits, it gets as far as the address, which is refused.
    assert run(9).error["code"] == "url_refused"
    assert run(10).error["message"].startswith("What the references in the input stand for has more than")


def test_more_dependents_than_fit_into_a_transaction_are_all_let_go(
    alice: User, submit: Submit, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(depend, "MOST_RELEASED", 3)
    first = submit(alice)
    children = [submit(alice, needs=[first.pk]) for _ in range(8)]
    assert {status(child) for child in children} == {"waiting"}
    fail(claim)
    assert {status(child) for child in children} == {"failed"}
    assert not Settlement.objects.exists()


def test_validation_waits_for_nobody_who_holds_what_is_needed(alice: User, submit: Submit) -> None:
    first = submit(alice)
    checked: list[object] = []

    def validate() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        checked.append(validate_submission(alice, limits_of(alice), ask(needs=[first.pk])))
        connection.close()

    thread = threading.Thread(target=validate)
    with transaction.atomic():
        Task.objects.select_for_update().get(pk=first.pk)
        thread.start()
        thread.join(120)
    assert len(checked) == 1


def test_more_than_a_task_may_wait_for_is_refused_wherever_it_is_named(alice: User, submit: Submit) -> None:
    first = submit(alice)
    reference = {"$from": str(first.pk), "path": "text"}
    some, others = ([uuid4() for _ in range(depend.MOST_NEEDS // 2)] for _ in "ab")
    with pytest.raises(errors.InvalidDependency) as refused:
        validate_submission(alice, limits_of(alice), ask(reference, needs=some, after=others))
    assert refused.value.errors == [
        {"pointer": "/needs", "code": "too_many_tasks", "detail": f"At most {depend.MOST_NEEDS:,} tasks."}
    ]
    with pytest.raises(errors.InvalidDependency) as unknown:
        validate_submission(alice, limits_of(alice), ask(reference, needs=some, after=others[1:]))
    assert {fault["code"] for fault in unknown.value.errors} == {"unknown_task"}
