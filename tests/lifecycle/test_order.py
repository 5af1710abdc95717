"""Order: who starts next. Fair between users, by priority within one, and always by an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks import sql
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Lane, Queue, Task
from tests.plans import multiply_held

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]


def echoes(user: User, count: int) -> None:
    submit_batch(user, [Submission("diagnostic.echo", {"message": "x"}) for _ in range(count)])


def test_second_user_starts_before_the_flood_of_the_first(alice: User, bob: User, submit: Submit, claim: Claim) -> None:
    echoes(alice, 50)
    first = claim()
    assert first is not None
    assert first.owner_id == alice.pk
    bobs = submit(bob)
    second, third = claim(), claim()
    assert second is not None
    assert third is not None
    assert bobs.pk in {second.id, third.id}


def test_higher_priority_starts_first_within_a_lane(
    make_user: Callable[..., User], submit: Submit, claim: Claim
) -> None:
    carol = make_user("carol", slots=1, max_priority=10)
    submit(carol, "first takes the slot")
    claimed = claim()
    assert claimed is not None
    low, high = submit(carol, priority=3), submit(carol, priority=6)
    finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    following = claim()
    assert following is not None
    assert following.id == high.pk
    assert Task.objects.get(pk=low.pk).status == "held"


def test_ready_and_running_together_never_exceed_the_slots(alice: User, claim: Claim) -> None:
    echoes(alice, 20)
    for _ in range(3):
        claim()
    assert Task.objects.of(alice).filter(status__in=["ready", "running"]).count() == 4
    assert Lane.objects.get(user=alice).taken == 4


def test_weight_gives_a_share_of_the_time(make_user: Callable[..., User], claim: Claim) -> None:
    light, heavy = make_user("light", slots=2, weight=1), make_user("heavy", slots=8, weight=4)
    for user in (light, heavy):
        echoes(user, 200)
    counts = {light.pk: 0, heavy.pk: 0}
    for _ in range(200):
        claimed = claim()
        assert claimed is not None
        counts[claimed.owner_id] += 1
        # As if each took just the second that was estimated.
        Task.objects.filter(pk=claimed.id).update(started_at="2026-01-01T00:00Z")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE task SET started_at = now() - interval '1 second' WHERE id = %s", [claimed.id])
        finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    assert counts[heavy.pk] / 200 == pytest.approx(0.8, abs=0.03)


def test_wait_is_explained_in_the_scheduler_s_own_terms(
    alice: User, submit: Submit, claim: Claim, node: object
) -> None:
    for _ in range(4):
        submit(alice)
    held = submit(alice)
    wait = explain_wait(held)
    assert (wait.why, wait.position) == ("waiting_for_a_slot", 5)
    claimed = claim()
    assert claimed is not None
    assert explain_wait(Task.objects.get(pk=claimed.id)).why is None


def test_position_counts_what_waits_in_the_lane_for_other_queues(alice: User, submit: Submit, node: object) -> None:
    """All open queues of a lane share its slots."""
    for _ in range(5):
        submit(alice)
    other = submit(alice)
    Task.objects.filter(pk=other.pk).update(queue_id="text")
    last = submit(alice)
    assert explain_wait(last).position == 7
    Queue.objects.filter(pk="text").update(paused_at=Now())
    assert explain_wait(last).position == 6


def test_no_workers_is_said_when_no_node_is_alive(alice: User, submit: Submit) -> None:
    assert explain_wait(submit(alice)).why == "no_workers"


def test_urgent_newcomer_takes_the_slot_of_an_own_background_task(alice: User, node: object, claim: Claim) -> None:
    background = [
        submit_task(alice, Submission("diagnostic.echo", {"message": "b"}, priority=1)).task for _ in range(6)
    ]
    running = claim()
    assert running is not None
    urgent = submit_task(alice, Submission("diagnostic.echo", {"message": "u"}, priority=8)).task
    assert urgent.status == "ready"
    assert Lane.objects.get(user=alice).taken == 4
    statuses = [Task.objects.get(pk=task.pk).status for task in background]
    assert statuses == ["running", "ready", "ready", "held", "held", "held"]
    claimed = claim()
    assert claimed is not None
    assert claimed.id == urgent.pk


def test_newcomer_that_would_stand_behind_it_in_the_lane_takes_nobodys_slot(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", slots=1)
    waited = submit_task(carol, Submission("diagnostic.echo", {"message": "w"})).task
    # Ten minutes ago: more than one level of priority is worth.
    Task.objects.filter(pk=waited.pk).update(line_key=waited.line_key - 600)
    newcomer = submit_task(carol, Submission("diagnostic.echo", {"message": "n"}, priority=6)).task
    assert newcomer.status == "held"
    after = Task.objects.get(pk=waited.pk)
    assert (after.status, after.rank, after.version) == ("ready", waited.rank, waited.version)


def test_newcomer_of_the_same_priority_takes_nobodys_slot(alice: User) -> None:
    echoes(alice, 4)
    first = set(Task.objects.values_list("pk", flat=True))
    submit_task(alice, Submission("diagnostic.echo", {"message": "x"}))
    assert set(Task.objects.filter(status="ready").values_list("pk", flat=True)) == first
    assert Lane.objects.get(user=alice).vfinish == pytest.approx(
        sum(Task.objects.filter(status="ready").values_list("charged_seconds", flat=True))
    )


@pytest.mark.usefixtures("new_tables")
@pytest.mark.parametrize("rows", [20, 20_000])
def test_claim_reads_the_ready_index_whatever_the_size(alice: User, node: object, rows: int) -> None:
    echoes(alice, 20)
    if rows > 20:
        multiply_held(rows)
    with connection.cursor() as cursor:
        # As on a worker's connection.
        for option in settings.INDEX_PLANS_ONLY.split(" -c ")[1:]:
            cursor.execute(f"SET {option.replace('=', ' = ')}")
        plan = _explain(
            "lifecycle/claim",
            cluster="default",
            node=node,
            pid=1,
            tokens=[uuid4()],
            most=32,
            budget=0.01,
            threads=True,
            main=True,
            functions=False,
        )
        cursor.execute("RESET ALL")
    assert plan.count("Index Scan using task_ready on task") == 2
    # The beginning of the line bounds the scan; as a filter it would save nothing.
    assert plan.count("AND (rank >= ") == 2
    assert "Seq Scan on task" not in plan


@pytest.mark.usefixtures("new_tables")
@pytest.mark.parametrize("rows", [20, 20_000])
def test_fill_reads_the_held_index_whatever_the_size(alice: User, rows: int) -> None:
    echoes(alice, 20)
    if rows > 20:
        multiply_held(rows)
    lane = Lane.objects.get(user=alice)
    Lane.objects.filter(pk=lane.pk).update(slots=8)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        sql.execute("lifecycle/lock_lanes", {"lanes": [lane.pk]})
        plan = _explain("lifecycle/fill", lanes=[lane.pk], newcomers=[])
        cursor.execute("ROLLBACK")
    assert "task_held" in plan
    # Where the lane begins bounds the scan; as a filter it would save nothing.
    assert plan.count("AND (line_key >= ") == 1
    assert "Seq Scan on task" not in plan
    assert "Hash Join" not in plan


def _explain(name: str, **parameters: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql.statement(name).decode(), parameters)
        return "\n".join(row[0] for row in cursor.fetchall())
