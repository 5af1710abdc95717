"""Claims of several: short tasks are taken together, and never at the price of who comes first or of losing one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks.lifecycle import ending, finish, recover, sweep
from tasks.lifecycle.claim import MOST_TOGETHER, Claimed, claim_tasks
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Attempt, Cluster, Lane, Node, Task

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def claim_several(node: UUID, *, most: int = MOST_TOGETHER, threads: bool = True, main: bool = True) -> list[Claimed]:
    tokens = [uuid4() for _ in range(most)]
    return claim_tasks(cluster="default", node=node, pid=1, tokens=tokens, threads=threads, main=main)


def submit_short(user: User, count: int, *, seconds: float = 0.001) -> list[UUID]:
    """Submit echoes that are thought to take so long."""
    batch = submit_batch(user, [Submission("diagnostic.echo", {"message": "x"})] * count).batch
    ids = [UUID(item["id"]) for item in batch.items]
    Task.objects.filter(pk__in=ids).update(est_seconds=seconds)
    return ids


@pytest.fixture
def carol(make_user: Callable[..., User]) -> User:
    return make_user("carol", slots=64)


def test_short_tasks_are_claimed_together_up_to_the_budget(carol: User, node: UUID) -> None:
    ids = submit_short(carol, 40)
    claimed = claim_several(node)
    assert [one.id for one in claimed] == ids[:10]
    assert len({one.token for one in claimed}) == 10


def test_very_short_tasks_are_claimed_up_to_the_most(carol: User, node: UUID) -> None:
    submit_short(carol, 40, seconds=0.0001)
    assert len(claim_several(node)) == MOST_TOGETHER


def test_longer_task_is_claimed_alone(carol: User, node: UUID) -> None:
    submit_short(carol, 3, seconds=1.0)
    assert len(claim_several(node)) == 1


def test_longer_task_behind_short_ones_ends_the_claim(carol: User, node: UUID) -> None:
    first = submit_short(carol, 2)
    submit_short(carol, 1, seconds=5.0)
    submit_short(carol, 2)
    claimed = claim_several(node)
    # What begins within the budget is taken, and nothing after it.
    assert [one.id for one in claimed][:2] == first
    assert len(claimed) == 3


def test_task_that_was_lost_is_claimed_alone(carol: User, node: UUID) -> None:
    ids = submit_short(carol, 5)
    Task.objects.filter(pk=ids[2]).update(alone=True)
    assert [one.id for one in claim_several(node)] == ids[:2]
    assert [one.id for one in claim_several(node)] == [ids[2]]
    assert [one.id for one in claim_several(node)] == ids[3:]


def test_worker_without_free_threads_leaves_waiting_work_to_others(carol: User, node: UUID) -> None:
    waiting = submit_task(carol, Submission("diagnostic.sleep", {"seconds": 1})).task
    other = submit_task(carol, Submission("diagnostic.echo", {"message": "x"})).task
    assert [one.id for one in claim_several(node, threads=False)] == [other.pk]
    assert [one.id for one in claim_several(node)] == [waiting.pk]


def test_suspected_task_that_waits_is_run_by_the_worker_itself(carol: User, node: UUID) -> None:
    waiting = submit_task(carol, Submission("diagnostic.sleep", {"seconds": 1})).task
    Task.objects.filter(pk=waiting.pk).update(alone=True)
    assert [one.id for one in claim_several(node, threads=False)] == [waiting.pk]


def test_what_was_not_started_goes_back_free_of_charge(carol: User, node: UUID) -> None:
    submit_short(carol, 10)
    claimed = claim_several(node)
    assert recover.give_back(node, {one.token for one in claimed[1:]}) == 9
    Task.objects.filter(status="scheduled").update(run_after="2020-01-01T00:00:00Z")
    sweep.start_due()
    assert Task.objects.filter(status="ready", attempts_charged=0).count() == 9
    assert Lane.objects.get(user=carol).taken == 10


def test_claim_begins_where_the_line_begins(carol: User, node: UUID) -> None:
    """Dead entries before `low_rank` are not read; nothing ready is ever left before it for longer than a second."""
    submit_short(carol, 64, seconds=0.5)
    for _ in range(60):
        [claimed] = claim_several(node)
        finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    raised = Cluster.objects.get(name="default").low_rank
    assert raised > -1
    assert raised <= min(Task.objects.filter(status="ready").values_list("rank", flat=True))


def test_what_a_worker_with_busy_threads_passes_over_stays_in_sight_of_the_others(carol: User, node: UUID) -> None:
    waiting = submit_task(carol, Submission("diagnostic.sleep", {"seconds": 1})).task
    submit_short(carol, 40, seconds=1.0)
    for _ in range(20):
        [claimed] = claim_several(node, threads=False)
        finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    assert claim_several(node)[0].id == waiting.pk


def test_beginning_of_the_line_is_not_raised_over_what_becomes_ready_just_now(carol: User, node: UUID) -> None:
    """The sweep does not see what a fill is about to commit, which has found the beginning low enough."""
    submit_short(carol, 2)
    first, second = Task.objects.order_by("id").values_list("pk", flat=True)
    Task.objects.filter(pk=second).update(rank=20.0)
    Task.objects.filter(pk=first).update(status="held", rank=None)
    Cluster.objects.update(low_rank=5.0)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE task SET status = 'ready', rank = 10 WHERE id = %s", [first])
            sweep.mend_low_rank()
            cursor.execute("COMMIT")
    finally:
        other.close()
    assert claim_several(node)[0].id == first


def test_tokens_are_used_in_the_order_in_which_they_are_given(carol: User, node: UUID) -> None:
    """A worker forgets those behind the last that was used, and no other, while its node looks on."""
    submit_short(carol, 5)
    tokens = [uuid4() for _ in range(MOST_TOGETHER)]
    claimed = claim_tasks(cluster="default", node=node, pid=1, tokens=tokens)
    assert [one.token for one in claimed] == tokens[:5]


def test_lane_pays_for_the_work_of_those_claimed_together_and_not_for_their_standing_behind_each_other(
    carol: User, node: UUID
) -> None:
    submit_short(carol, 5, seconds=0.001)
    claimed = claim_several(node)
    # As if each of them had taken a second, one after the other.
    with connection.cursor() as cursor:
        for number, one in enumerate(claimed):
            cursor.execute(
                "UPDATE task SET started_at = clock_timestamp() - %s * interval '1 second' WHERE id = %s",
                [number + 1, one.id],
            )
            assert finish.finish_attempts([finish.Ended(one, ending.succeeded({"engine": {}}), took_seconds=1.0)])
    lane = Lane.objects.get(user=carol)
    assert lane.vfinish * lane.weight == pytest.approx(5, abs=0.5)
    assert all(attempt.seconds == pytest.approx(1, abs=0.1) for attempt in Attempt.objects.all())


def test_what_only_stood_behind_others_costs_its_lane_nothing(carol: User, node: UUID) -> None:
    submit_short(carol, 2)
    claimed = claim_several(node)
    Task.objects.update(started_at=Now() - timedelta(seconds=100))
    recover.give_back(node, {one.token for one in claimed})
    assert Lane.objects.get(user=carol).vfinish < 0.1


def test_task_with_a_lower_rank_lowers_the_beginning_of_the_line(carol: User, bob: User, node: UUID) -> None:
    submit_short(carol, 4)
    Task.objects.update(rank=5.0)
    Cluster.objects.update(low_rank=1e6, vclock=0)
    urgent = submit_task(bob, Submission("diagnostic.echo", {"message": "x"})).task
    assert Cluster.objects.get(name="default").low_rank == Task.objects.get(pk=urgent.pk).rank
    assert claim_several(node)[0].id == urgent.pk


def test_sweep_finds_what_a_claim_has_passed_over(carol: User, node: UUID) -> None:
    submit_short(carol, 1)
    Cluster.objects.update(low_rank=1e6)
    assert claim_several(node) == []
    sweep.mend_low_rank()
    assert len(claim_several(node)) == 1


def test_row_that_others_hold_does_not_hide_the_line(carol: User, node: UUID) -> None:
    ids = submit_short(carol, 3, seconds=1.0)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT FROM task WHERE id = %s FOR UPDATE", [ids[0]])
            assert [one.id for one in claim_several(node)] == [ids[1]]
    finally:
        other.close()


def lose(node: UUID) -> None:
    assert recover.declare_lost(node, beat=Node.objects.get(pk=node).beat)


def test_loss_of_a_node_is_charged_to_the_task_that_may_have_started_and_to_none_behind_it(
    carol: User, node: UUID
) -> None:
    ids = submit_short(carol, 5)
    Task.objects.update(max_attempts=1)
    assert [one.id for one in claim_several(node)] == ids
    lose(node)
    assert recover.recover_gone_nodes() == 5
    first, *others = Task.objects.order_by("id")
    assert (first.status, first.error["code"], first.attempts_charged) == ("failed", "worker_lost", 1)
    assert {(one.status, one.attempts_charged, one.alone) for one in others} == {("scheduled", 0, False)}
    attempts = Attempt.objects.exclude(task=first).values_list("outcome", "charged")
    assert set(attempts) == {("returned", False)}
    assert Lane.objects.get(user=carol).taken == 0


def test_recovery_that_stops_halfway_does_not_take_the_second_of_a_claim_for_the_first(carol: User, node: UUID) -> None:
    ids = submit_short(carol, 3)
    assert [one.id for one in claim_several(node)] == ids
    lose(node)
    for _ in ids:
        assert recover.recover_gone_nodes(limit=1) == 1
    assert list(Task.objects.order_by("id").values_list("attempts_charged", flat=True)) == [1, 0, 0]


def test_each_worker_and_each_thread_of_a_lost_node_may_have_started_something(carol: User, node: UUID) -> None:
    submit_short(carol, 2)
    claim_several(node)
    submit_short(carol, 2)
    tokens = [uuid4() for _ in range(MOST_TOGETHER)]
    assert len(claim_tasks(cluster="default", node=node, pid=2, tokens=tokens)) == 2
    beside = submit_task(carol, Submission("diagnostic.sleep", {"seconds": 1})).task
    [waits] = claim_tasks(cluster="default", node=node, pid=2, tokens=[uuid4()], main=False)
    assert waits.id == beside.pk
    lose(node)
    assert recover.recover_gone_nodes() == 5
    assert list(Task.objects.order_by("id").values_list("attempts_charged", flat=True)) == [1, 0, 1, 0, 1]
