"""Claims of several: short tasks are taken together, and never at the price of who comes first or of losing one."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.models import User
from tasks.lifecycle import finish, recover, sweep
from tasks.lifecycle.claim import MOST_TOGETHER, Claimed, claim_tasks
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Cluster, Lane, Task

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
        finish.finish_attempt(claimed, finish.succeeded({"engine": {}}))
    raised = Cluster.objects.get(name="default").low_rank
    assert raised > -1
    assert raised <= min(Task.objects.filter(status="ready").values_list("rank", flat=True))


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
    sweep.set_low_rank()
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
