"""Reuse: the same work is answered from an earlier result, and nothing but the same work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import User
from tasks import errors, files, idempotency, registry
from tasks.lifecycle import ending, finish, purge, reuse
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, Submitted, submit_batch, submit_task
from tasks.lifecycle.validate import Checked
from tasks.models import File, Task, Usage

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]


def echo(user: User, message: str = "same", **options: Any) -> Submitted:
    return submit_task(user, Submission("diagnostic.echo", {"message": message}, **options))


def succeed(claim: Claim) -> None:
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.succeeded({"engine": {}, "text": "x"}))


def test_same_work_is_answered_with_the_earlier_task_and_costs_no_task(alice: User, claim: Claim) -> None:
    first = echo(alice, reuse=True)
    assert not first.reused
    succeed(claim)
    again = echo(alice, reuse=True)
    assert (again.task.pk, again.reused, again.task.status) == (first.task.pk, True, "succeeded")
    assert Usage.objects.get(user=alice).day_count == 1


def test_reused_answer_counts_against_the_rate(make_user: Callable[..., User], claim: Claim) -> None:
    carol = make_user("carol", per_minute=3)
    echo(carol)
    succeed(claim)
    assert [echo(carol, reuse=True).reused for _ in range(2)] == [True, True]
    with pytest.raises(errors.QuotaExceeded) as refused:
        echo(carol, reuse=True)
    assert refused.value.policy == "burst"


def test_replay_of_a_reused_answer_gives_the_same_task_free_of_charge(
    make_user: Callable[..., User], claim: Claim
) -> None:
    carol = make_user("carol", per_minute=3)
    first = echo(carol).task
    succeed(claim)

    def send(body: str) -> Submitted:
        submission = Submission("diagnostic.echo", {"message": "same"}, reuse=True)
        return submit_task(carol, submission, idempotency_key="once", body_sha256=body)

    assert (send("body").task.pk, Task.objects.count()) == (first.pk, 1)
    # A later task did the same work; without a note of the key it would be the answer now.
    later = echo(carol).task
    succeed(claim)
    for _ in range(3):
        replayed = send("body")
        assert (replayed.task.pk, replayed.replayed, replayed.reused) == (first.pk, True, False)
    assert later.pk != first.pk
    with pytest.raises(errors.IdempotencyConflict):
        send("another body")


def test_key_is_not_taken_twice_for_other_bodies_that_one_task_answers(alice: User) -> None:
    task = echo(alice).task
    assert idempotency.reserve_key(alice, "once", "body", [task.pk])
    assert not idempotency.reserve_key(alice, "once", "another body", [task.pk])


def test_without_asking_for_it_the_work_is_done_again(alice: User, claim: Claim) -> None:
    first = echo(alice)
    succeed(claim)
    assert echo(alice).task.pk != first.task.pk


def test_other_input_other_user_and_unfinished_work_are_not_the_same(alice: User, bob: User, claim: Claim) -> None:
    echo(alice)
    assert not echo(alice, reuse=True).reused
    succeed(claim)
    succeed(claim)
    assert not echo(alice, "other", reuse=True).reused
    assert not echo(bob, reuse=True).reused


def test_another_version_of_an_engine_does_it_anew(alice: User, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    echo(alice)
    succeed(claim)
    monkeypatch.setattr(reuse, "engines_version", lambda: "another")
    assert not echo(alice, reuse=True).reused


def test_purged_result_is_not_given(alice: User, claim: Claim) -> None:
    echo(alice)
    succeed(claim)
    Task.objects.update(keep_until=Now() - timedelta(seconds=1))
    purge.purge_content()
    assert not echo(alice, reuse=True).reused


def test_same_bytes_under_another_id_are_the_same_work(alice: User) -> None:
    first = files.store_file(alice, name="a.txt", chunks=[b"same"])
    second = files.store_file(alice, name="b.txt", chunks=[b"same"])
    other = files.store_file(alice, name="c.txt", chunks=[b"other"])
    definition = registry.get_type("file.process")

    def hashed(file: File) -> object:
        data = {"file": str(file.id), "n": 1}
        return reuse.input_hash(
            Checked(definition, data, 60, {file.id: file}, (), "portal", has_references=False, work=None, bucket=0)
        )

    assert hashed(first) == hashed(second) != hashed(other)


def test_work_that_depends_on_more_than_its_input_is_refused(alice: User) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        submit_task(alice, Submission("http.request", {"url": "https://example.com/"}, reuse=True))
    assert refused.value.errors[0]["pointer"] == "/reuse"


def test_item_of_a_batch_cannot_be_reused(alice: User) -> None:
    item = Submission("diagnostic.echo", {"message": "x"}, reuse=True)
    assert "problem" in submit_batch(alice, [item]).batch.items[0]
