"""Fairness where it was broken once: idle users, floods of high priority, paused queues, allowances in two clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import F

from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import ending, finish, routing, sweep
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.fill import fill_lanes
from tasks.lifecycle.pause import pause_queue
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Cluster, Lane, Node, Queue, Task, Usage
from tests.plans import multiply_held, pages_read

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
ECHO = Submission("diagnostic.echo", {"message": "x"})


def echoes(user: User, count: int, **options: object) -> None:
    submit_batch(user, [Submission("diagnostic.echo", {"message": "x"}, **options)] * count)  # type: ignore[arg-type]


def work(claim: Claim, *, seconds: float) -> Claimed:
    """Run the next task as if it had taken so long."""
    claimed = claim()
    assert claimed is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE task SET started_at = now() - make_interval(secs => %s) WHERE id = %s", [seconds, claimed.id]
        )
    finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    return claimed


def owners(claim: Claim, count: int, *, seconds: float = 1.0) -> list[int]:
    return [work(claim, seconds=seconds).owner_id for _ in range(count)]


def test_debts_of_heavy_use_end_when_all_have_been_idle(alice: User, bob: User, claim: Claim) -> None:
    """A day's work of alice: without the reset, bob would go first for a day."""
    echoes(alice, 10)
    owners(claim, 10, seconds=8640.0)
    sweep.reset_clocks()
    echoes(bob, 20)
    echoes(alice, 20)
    assert 8 <= owners(claim, 20).count(alice.pk) <= 12


def test_idleness_saves_up_no_credit(alice: User, bob: User, claim: Claim) -> None:
    """Bob worked all day while alice was idle: she comes first once, not for a day."""
    echoes(alice, 1)
    owners(claim, 1)
    echoes(bob, 40)
    owners(claim, 20, seconds=4320.0)
    echoes(alice, 30)
    share = owners(claim, 20, seconds=4320.0)
    assert 8 <= share.count(alice.pk) <= 12


def test_flood_of_high_priority_delays_a_light_user_by_seconds_only(
    make_user: Callable[..., User], bob: User, claim: Claim, node: UUID
) -> None:
    carol = make_user("carol", slots=8, max_priority=8)
    Node.objects.filter(pk=node).update(workers=4)
    echoes(carol, 500, priority=8)
    sweep.refresh_warp()
    owners(claim, 20)
    light = submit_task(bob, ECHO).task
    sweep.refresh_warp()
    waited = 0
    while not Task.objects.get(pk=light.pk).done:
        work(claim, seconds=1.0)
        waited += 1
    # Three levels are worth 15 s of the cluster's time: 60 tasks of a second on 4 workers; and what is in the line.
    assert 1 < waited <= 60 + 8 + 1
    assert Task.objects.of(carol).unfinished().exists()


@pytest.fixture
def _two_clusters() -> Iterator[None]:
    Cluster.objects.create(name="gpu")
    Queue.objects.filter(pk="text").update(cluster="gpu")
    routing.forget_cache()
    yield
    routing.forget_cache()


@pytest.mark.usefixtures("_two_clusters")
def test_two_submits_to_two_clusters_share_the_last_allowance(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", max_priority=10, urgent_per_day=3)
    echoes(carol, 2, priority=9)

    def submit(queue: str) -> str:
        try:
            urgent = Submission("diagnostic.echo", {"message": "x"}, priority=9, queue=queue)
            return submit_task(carol, urgent).task.cluster
        except errors.QuotaExceeded as refused:
            return refused.policy
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool, transaction.atomic():
        # Both have read everything else by the time when the counters are free.
        Usage.objects.select_for_update().get(user=carol)
        answers = [pool.submit(submit, queue) for queue in ("diagnostics", "text")]
        _wait_until_so_many_wait(2)
    given = {answer.result() for answer in answers}
    assert given in ({"urgent-day", "default"}, {"urgent-day", "gpu"})
    assert Usage.objects.get(user=carol).urgent_count == 3
    assert Task.objects.of(carol).filter(priority=9).count() == 3


def _wait_until_so_many_wait(count: int) -> None:
    with connection.cursor() as cursor:
        for _ in range(2000):
            # Within a transaction the server would show the same moment again and again.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] == count:
                return
            cursor.execute("SELECT pg_sleep(0.005)")
    raise AssertionError("the submits did not wait for the usage row")


HELD = 100_000


@pytest.mark.usefixtures("new_tables")
def test_paused_queue_with_a_hundred_thousand_held_costs_an_open_queue_nothing(
    make_user: Callable[..., User], olga: User, claim: Claim
) -> None:
    carol = make_user("carol", slots=4)
    echoes(carol, 5)
    with connection.cursor() as cursor:
        # As bad as they can be: the planner knows nothing of what comes.
        cursor.execute("ANALYZE task")
    multiply_held(HELD)
    pause_queue("diagnostics", by=olga)
    assert not Task.objects.filter(status="ready").exists(), "the paused queue keeps its slots"
    others = [submit_task(carol, Submission("diagnostic.echo", {"message": "x"}, queue="text")).task for _ in range(6)]
    assert [Task.objects.get(pk=task.pk).status for task in others] == ["ready"] * 4 + ["held"] * 2
    lane = Lane.objects.get(user=carol)
    work(claim, seconds=0.01)
    assert Task.objects.filter(queue="text", status="ready").count() == 4
    Lane.objects.filter(pk=lane.pk).update(slots=F("slots") + 1)
    # The work done, not the time: a scan of what is held would read thousands of pages.
    plans: dict[str, dict[str, Any]] = {
        "lifecycle/fill": {"lanes": [lane.pk], "newcomers": None},
        "lifecycle/lanes_to_fill": {"queues": ["text"], "limit": 500},
    }
    for name, asked in plans.items():
        pages = pages_read(name, asked, before=lambda: sql.execute("lifecycle/lock_lanes", {"lanes": [lane.pk]}))
        assert pages < 300, name
    fill_lanes([lane.pk])
    assert Task.objects.filter(queue="text", status="ready").count() == 5
