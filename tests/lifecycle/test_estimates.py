"""Estimates: learned from what tasks took, by type and size; and what they say of a wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from math import hypot
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks import files, registry
from tasks.lifecycle import ending, estimate, finish, keep, sweep
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.expected import ends_in
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Attempt, Cluster, Estimate, Lane, Node, Task

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    estimate.forget_cache()
    yield
    estimate.forget_cache()


def run_for(claim: Claim, seconds: float) -> None:
    """Let the next task have taken so long."""
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE attempt SET started_at = finished_at - make_interval(secs => %s) WHERE token = %s",
            [seconds, claimed.token],
        )


def teach(alice: User, submit: Submit, claim: Claim, *seconds: float) -> None:
    for each in seconds:
        submit(alice)
        run_for(claim, each)
    estimate.learn_estimates()
    estimate.forget_cache()


def test_what_tasks_took_becomes_the_estimate_of_the_next(alice: User, submit: Submit, claim: Claim) -> None:
    before = submit(alice)
    run_for(claim, 300.0)
    teach(alice, submit, claim, 300.0, 320.0, 280.0, 300.0, 310.0)
    assert Task.objects.get(pk=before.pk).est_seconds == registry.get_type("diagnostic.echo").est_seconds
    assert Task.objects.get(pk=submit(alice).pk).est_seconds == pytest.approx(300.0, abs=20.0)


def test_one_attempt_that_hung_does_not_spoil_it(alice: User, submit: Submit, claim: Claim) -> None:
    teach(alice, submit, claim, 1.0, 1.0, 900.0, 1.0, 1.0, 1.0)
    assert Estimate.objects.get(type="diagnostic.echo").seconds == pytest.approx(1.0)


def test_too_few_tell_nothing(alice: User, submit: Submit, claim: Claim) -> None:
    teach(alice, submit, claim, 60.0, 60.0)
    assert estimate.learned_for("diagnostic.echo", 0) is None


def test_failed_attempts_teach_nothing_and_are_not_looked_at_again(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.returned())
    assert estimate.learn_estimates() == 1
    assert estimate.learn_estimates() == 0
    assert not Estimate.objects.exists()


def test_an_attempt_that_went_on_from_what_was_kept_teaches_nothing(alice: User, submit: Submit, claim: Claim) -> None:
    for pieces in (True, False):
        task = submit(alice)
        first = claim()
        assert first is not None
        if pieces:
            assert keep.keep_piece(first, "pages", 0, "what took long")
        finish.finish_attempt(first, ending.returned())
        Task.objects.filter(pk=task.pk, status="scheduled").update(run_after=Now())
        sweep.start_due()
        run_for(claim, 3.0)
        assert estimate.learn_estimates() == 2
        assert Estimate.objects.exists() == (not pieces)


def test_large_inputs_have_estimates_of_their_own(alice: User) -> None:
    small = files.store_file(alice, name="a.txt", chunks=[b"x" * 100])
    large = files.store_file(alice, name="b.txt", chunks=[b"x" * 5_000_000])
    assert estimate.size_bucket(50, {small.id: small}) == 0
    assert estimate.size_bucket(50, {large.id: large}) == 13
    Estimate.objects.create(type="t", size_bucket=0, recent=[1.0] * 5, seconds=1, p50_seconds=1, p90_seconds=1)
    Estimate.objects.create(type="t", size_bucket=13, recent=[9.0] * 5, seconds=9, p50_seconds=9, p90_seconds=9)
    for bucket, seconds in ((0, 1), (5, 1), (9, 9), (20, 9)):
        learned = estimate.learned_for("t", bucket)
        assert learned is not None
        assert learned.seconds == seconds


def test_wait_is_not_guessed_before_anything_was_learned(alice: User, submit: Submit, node: UUID) -> None:
    assert explain_wait(submit(alice)).starts_in is None


def test_wait_of_a_held_task_follows_from_the_work_before_it(
    make_user: Callable[..., User], submit: Submit, claim: Claim, node: UUID
) -> None:
    carol = make_user("carol", slots=2)
    teach(carol, submit, claim, *[4.0] * 6)
    Node.objects.update(workers=2)
    tasks = [submit(carol) for _ in range(4)]
    wait = explain_wait(tasks[3])
    assert (wait.position, wait.why) == (4, "waiting_for_a_slot")
    assert wait.starts_in is not None
    # Three tasks of four seconds before it, two at once: the third begins as the first ends, this as the second does.
    assert wait.starts_in == pytest.approx((2.67, 4.0, 6.0), rel=0.1)
    assert wait.ends_in == pytest.approx((8.0 - hypot(4.0 - 8 / 3, 4.0 - 8 / 3), 8.0, 8.0 + hypot(2.0, 2.0)), rel=0.1)
    assert Lane.objects.get(user=carol).taken == 2


def test_last_of_twenty_starts_when_the_place_before_it_is_free(
    make_user: Callable[..., User], submit: Submit, claim: Claim, node: UUID
) -> None:
    carol = make_user("carol", slots=2)
    teach(carol, submit, claim, *[1.0] * 6)
    Node.objects.update(workers=2)
    tasks = [submit(carol) for _ in range(20)]
    wait = explain_wait(tasks[-1])
    assert wait.starts_in is not None
    assert wait.starts_in.p50 == pytest.approx(9.0)


def sleep(user: User) -> Task:
    """Submit a task that runs in a thread."""
    return submit_task(user, Submission("diagnostic.sleep", {"seconds": 2})).task


def have_run_for(seconds: float) -> None:
    Task.objects.filter(status="running").update(started_at=Now() - timedelta(seconds=seconds))


def learned(type_name: str, seconds: float, *, samples: int = 6) -> None:
    Estimate.objects.create(
        type=type_name,
        size_bucket=0,
        recent=[seconds] * samples,
        seconds=seconds,
        p50_seconds=seconds,
        p90_seconds=seconds,
    )
    estimate.forget_cache()


def test_wait_for_a_thread_counts_threads_and_not_workers(
    make_user: Callable[..., User], claim: Claim, node: UUID
) -> None:
    carol = make_user("carol", slots=4)
    learned("diagnostic.sleep", 200.0)
    Node.objects.update(workers=1)
    tasks = [sleep(carol) for _ in range(12)]
    assert all(claim() for _ in range(4))
    have_run_for(50.0)
    wait = explain_wait(tasks[8])
    assert wait.starts_in is not None
    # Four run for 150 seconds more, four go before it: all four of the lane's slots at once, by one worker.
    assert wait.starts_in.p50 == pytest.approx(350.0, abs=30.0)


def test_wait_for_a_thread_does_not_count_what_the_workers_do(
    alice: User, make_user: Callable[..., User], submit: Submit, claim: Claim, node: UUID
) -> None:
    learned("diagnostic.sleep", 2.0)
    learned("diagnostic.echo", 60.0)
    Node.objects.update(workers=1)
    submit(alice)
    assert claim()
    submit(alice)
    wait = explain_wait(sleep(make_user("carol")))
    assert wait.why == "waiting_for_a_worker"
    assert wait.starts_in is not None
    assert wait.starts_in.p50 == 0.0


def test_without_threads_there_is_one_kind_of_place(
    alice: User, make_user: Callable[..., User], submit: Submit, claim: Claim, node: UUID, settings: Any
) -> None:
    settings.WORKER_THREADS = 0
    learned("diagnostic.sleep", 2.0)
    learned("diagnostic.echo", 60.0)
    Node.objects.update(workers=1)
    submit(alice)
    assert claim()
    wait = explain_wait(sleep(make_user("carol")))
    assert wait.starts_in is not None
    assert wait.starts_in.p50 == pytest.approx(60.0, abs=30.0)


def test_first_flood_of_a_type_is_estimated_by_what_runs(
    make_user: Callable[..., User], submit: Submit, claim: Claim, node: UUID
) -> None:
    carol = make_user("carol", slots=2)
    tasks = [submit(carol) for _ in range(5)]
    assert explain_wait(tasks[4]).starts_in is None, "nothing is known yet"
    assert all(claim() for _ in range(2))
    have_run_for(300.0)
    wait = explain_wait(tasks[4])
    assert wait.starts_in is not None
    # What has run for five minutes is expected to take ten: five more, and one of ten before it.
    assert wait.starts_in.p50 == pytest.approx(900.0, abs=50.0)
    assert wait.starts_in.p90 > 2 * wait.starts_in.p50


def test_few_that_ended_tell_something_with_a_wide_spread(
    make_user: Callable[..., User], submit: Submit, node: UUID
) -> None:
    carol = make_user("carol", slots=1)
    learned("diagnostic.echo", 3.0, samples=2)
    tasks = [submit(carol) for _ in range(3)]
    assert explain_wait(tasks[2]).starts_in == pytest.approx((2.4, 6.0, 15.0))
    assert Task.objects.get(pk=tasks[2].pk).est_seconds < 1, "too few to weigh tasks by"


def test_what_runs_for_longer_than_expected_is_not_expected_to_end_at_once(
    make_user: Callable[..., User], submit: Submit, claim: Claim, node: UUID
) -> None:
    carol = make_user("carol", slots=1)
    learned("diagnostic.echo", 300.0)
    tasks = [submit(carol) for _ in range(2)]
    assert claim()
    have_run_for(2000.0)
    wait = explain_wait(tasks[1])
    assert wait.starts_in is not None
    assert wait.starts_in.p50 == pytest.approx(400.0, abs=30.0)


def test_wait_of_a_ready_task_counts_the_line_and_what_runs(
    alice: User, bob: User, submit: Submit, claim: Claim, node: UUID
) -> None:
    teach(alice, submit, claim, *[200.0] * 6)
    Node.objects.update(workers=1)
    submit(alice), submit(alice)
    assert claim() is not None
    last = submit(alice)
    wait = explain_wait(last)
    assert wait.position == 2
    assert wait.starts_in is not None
    assert wait.starts_in.p50 == pytest.approx(400.0, abs=30.0)
    assert Attempt.objects.count() == 6


@pytest.mark.parametrize(("elapsed", "expected"), [(0.0, (1.2, 6.0, 10.8)), (3.5, (0.4, 4.0, 7.6)), (7.5, None)])
def test_end_of_what_runs_is_that_of_those_which_ran_as_long(
    db: None, elapsed: float, expected: tuple[float, ...] | None
) -> None:
    times = [float(each) for each in range(1, 12)]
    Estimate.objects.create(type="t", size_bucket=0, recent=times, seconds=6, p50_seconds=6, p90_seconds=10)
    assert ends_in("t", 0, elapsed) == (expected and pytest.approx(expected))


def test_task_that_runs_is_told_when_it_ends(alice: User, submit: Submit, claim: Claim) -> None:
    learned("diagnostic.echo", 3600.0)
    task = submit(alice)
    assert claim()
    wait = explain_wait(Task.objects.get(pk=task.pk))
    assert wait.starts_in is None
    assert wait.ends_in is not None
    assert wait.ends_in.p90 <= 3600.0


def test_busy_model_servers_are_the_reason_where_they_are(alice: User, submit: Submit, claim: Claim) -> None:
    from tasks import errors
    from tasks.models.attempt import Outcome

    submit(alice)
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.put_off(claimed, errors.BackendBusy(), outcome=Outcome.BUSY, seconds=60))
    assert explain_wait(Task.objects.get(pk=claimed.id)).why == "backend_busy"


def test_wrong_estimate_does_not_keep_a_lane_behind_everybody(
    alice: User, bob: User, submit: Submit, claim: Claim
) -> None:
    slow_looking = [submit(alice) for _ in range(4)]
    Task.objects.filter(owner=alice).update(est_seconds=600.0)
    for number, task in enumerate(slow_looking):
        # As fill would have ranked them, had it known these estimates.
        Task.objects.filter(pk=task.pk).update(vstart=300.0 * number, rank=300.0 * number, charged_seconds=300.0)
    Lane.objects.filter(user=alice).update(vfinish=1200.0)
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    ranks = sorted(Task.objects.filter(owner=alice, status="ready").values_list("rank", flat=True))
    assert ranks == pytest.approx([0.0, 300.0, 600.0], abs=20.0)
    assert Lane.objects.get(user=alice).vfinish == pytest.approx(900.0, abs=20.0)
    submit(bob)
    following = [claim(), claim()]
    assert {one.owner_id for one in following if one} == {alice.pk, bob.pk}


def test_newcomer_finds_one_task_of_such_a_lane_at_the_clock_and_not_all(
    alice: User, bob: User, submit: Submit, claim: Claim
) -> None:
    """Two of hers run at once; what the first gets back leaves the second nothing between the clock and the others."""
    for number, task in enumerate([submit(alice) for _ in range(4)]):
        place = 200.0 * number
        Task.objects.filter(pk=task.pk).update(vstart=place, rank=place, est_seconds=200.0, charged_seconds=200.0)
    Lane.objects.filter(user=alice).update(vfinish=800.0)
    for claimed in [claim(), claim()]:
        assert claimed is not None
        finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    clock = Cluster.objects.get(name="default").vclock
    assert clock == pytest.approx(200.0)
    ranks = sorted(Task.objects.filter(owner=alice, status="ready").values_list("rank", flat=True))
    assert ranks == pytest.approx([clock, clock + 200.0], abs=2.0)
    assert Lane.objects.get(user=alice).vfinish == pytest.approx(clock + 400.0, abs=10.0)
    submit(bob)
    following = [claim(), claim()]
    assert {one.owner_id for one in following if one} == {alice.pk, bob.pk}


def test_nothing_is_foreseen_in_a_lane_without_slots(alice: User, submit: Submit, claim: Claim) -> None:
    teach(alice, submit, claim, *[3.0] * 5)
    Lane.objects.update(slots=0)
    task = submit(alice)
    wait = explain_wait(Task.objects.get(pk=task.pk))
    assert (wait.why, wait.starts_in) == ("waiting_for_a_slot", None)
