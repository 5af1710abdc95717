"""Pausing a task type: nothing of it starts in any queue, the rest goes on at full speed, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F

from accounts.models import User
from tasks import errors, sql
from tasks.cluster.django_q.broker import CountedReady
from tasks.lifecycle import ending, finish, sweep
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.explain import explain_briefly, explain_wait
from tasks.lifecycle.fill import fill_lanes
from tasks.lifecycle.pause import LaneToFill, pause_type, resume_type
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import AuditEntry, Lane, Node, PausedType, Task
from tests.plans import multiply_held, pages_read

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
PAUSED = Submission("diagnostic.echo", {"message": "x"})
OTHER = Submission("diagnostic.sleep", {"seconds": 0})


@pytest.fixture
def carol(make_user: Callable[..., User]) -> User:
    return make_user("carol", slots=2, max_priority=10, urgent_per_day=None, high_per_day=None)


def statuses(user: User) -> list[tuple[str, str]]:
    return sorted(Task.objects.filter(owner=user).values_list("type", "status"))


def finish_next(claim: Claim) -> str:
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    return claimed.type


@pytest.mark.parametrize("many", [False, True], ids=["one by one", "as a batch"])
def test_other_types_of_the_same_queue_have_the_slots(carol: User, olga: User, many: bool) -> None:
    submit_task(carol, PAUSED)
    pause_type(PAUSED.type, by=olga, reason="mending")
    assert Lane.objects.get(user=carol).taken == 0
    wanted = [PAUSED, OTHER, PAUSED, OTHER, OTHER]
    if many:
        submit_batch(carol, wanted)
    else:
        for submission in wanted:
            submit_task(carol, submission)
    assert statuses(carol) == [
        *[("diagnostic.echo", "held")] * 3, ("diagnostic.sleep", "held"), *[("diagnostic.sleep", "ready")] * 2,
    ]  # fmt: skip


def test_it_comes_first_when_the_type_is_opened(carol: User, olga: User, claim: Claim) -> None:
    pause_type(PAUSED.type, by=olga)
    submit_batch(carol, [PAUSED, OTHER, OTHER, OTHER])
    assert finish_next(claim) == OTHER.type
    resume_type(PAUSED.type, by=olga)
    assert [finish_next(claim) for _ in range(3)].count(PAUSED.type) == 1
    assert not Task.objects.unfinished().exists()


def test_idle_lane_is_filled_when_the_type_is_opened_also_if_somebody_held_it_then(carol: User, olga: User) -> None:
    pause_type(PAUSED.type, by=olga)
    submit_batch(carol, [PAUSED, PAUSED])
    fill_lanes(Lane.objects.filter(user=carol).values_list("pk", flat=True))
    sweep.mend_low_key()
    pause_type(OTHER.type, by=olga)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT FROM lane FOR NO KEY UPDATE")
            # It passes over this lane.
            resume_type_without_filling(PAUSED.type)
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    # Another type is paused still: found by the upkeep of every half minute, and by that of every second else.
    sweep.mend_low_key()
    sweep.fill_idle()
    assert statuses(carol) == [("diagnostic.echo", "ready")] * 2


def resume_type_without_filling(name: str) -> None:
    PausedType.objects.filter(pk=name).delete()
    sql.execute("lifecycle/mend_low_key", {})


def test_fill_that_began_before_the_pause_starts_nothing(carol: User, olga: User, node: UUID, claim: Claim) -> None:
    pause_type(PAUSED.type, by=olga)
    task = submit_task(carol, PAUSED).task
    Task.objects.filter(pk=task.pk).update(status="ready", rank=0, vstart=0)
    Lane.objects.filter(user=carol).update(taken=F("taken") + 1)
    asked = {"cluster": "default", "node": node, "threads": True, "functions": True, "limit": 9}
    assert sql.run("cluster/count_ready", asked, row=CountedReady)[0].ready == 0
    assert claim() is None
    sweep.fill_idle()
    assert statuses(carol) == [(PAUSED.type, "held")]
    assert Lane.objects.get(user=carol).taken == 0


def test_urgent_newcomer_of_a_paused_type_takes_nobodys_slot(carol: User, olga: User) -> None:
    pause_type(PAUSED.type, by=olga)
    submit_batch(carol, [OTHER, OTHER])
    submit_task(carol, Submission(PAUSED.type, PAUSED.input, priority=10))
    assert statuses(carol) == [("diagnostic.echo", "held"), *[("diagnostic.sleep", "ready")] * 2]


def test_ten_thousand_paused_ones_are_stepped_over_once_and_then_cost_few_pages(
    carol: User, olga: User, claim: Claim
) -> None:
    submit_batch(carol, [PAUSED] * 3)
    pause_type(PAUSED.type, by=olga)
    multiply_held(10_000)
    lane = Lane.objects.get(user=carol)
    fill_lanes([lane.pk])
    submit_batch(carol, [OTHER] * 3)
    assert finish_next(claim) == OTHER.type
    submit_task(carol, PAUSED)
    # The work done, not the time: a look at all that is paused reads thousands of pages.
    plans: dict[str, dict[str, Any]] = {
        "lifecycle/fill": {"lanes": [lane.pk], "newcomers": []},
        "lifecycle/swap": {"lanes": [lane.pk]},
        "lifecycle/lanes_to_fill": {"queues": ["diagnostics", "text"], "limit": 500},
    }
    for name, asked in plans.items():
        pages = pages_read(name, asked, before=lambda: sql.execute("lifecycle/lock_lanes", {"lanes": [lane.pk]}))
        assert pages < 300, name
    assert [finish_next(claim) for _ in range(2)] == [OTHER.type] * 2
    assert claim() is None, "something paused"
    # With room again, the sweep does not look at it each second.
    assert sql.run("lifecycle/lanes_to_fill", plans["lifecycle/lanes_to_fill"], row=LaneToFill) == []


def test_waiting_is_explained(carol: User, olga: User, node: UUID) -> None:
    pause_type(PAUSED.type, by=olga)
    task, other = submit_task(carol, PAUSED).task, submit_task(carol, OTHER).task
    assert (explain_wait(task).why, explain_briefly(task).why) == ("type_paused", "type_paused")
    # What is paused is not ahead of it.
    assert (explain_wait(other).why, explain_wait(other).position) == ("waiting_for_a_worker", 1)
    Node.objects.all().delete()
    assert explain_wait(task).why == "type_paused"


def test_each_change_is_audited_once(olga: User) -> None:
    for _ in range(2):
        pause_type(PAUSED.type, by=olga, reason="mending")
    for _ in range(2):
        resume_type(PAUSED.type, by=olga)
    entries = AuditEntry.objects.filter(target_kind="task_type", target_id=PAUSED.type).order_by("pk")
    assert [(entry.action, entry.actor, entry.details) for entry in entries] == [
        ("pause", olga, {"reason": "mending"}), ("resume", olga, {}),
    ]  # fmt: skip


def test_type_that_is_not_installed_any_more_can_be_opened_and_only_that(olga: User) -> None:
    PausedType.objects.create(type="gone.away")
    resume_type("gone.away", by=olga)
    assert not PausedType.objects.exists()
    for change in (pause_type, resume_type):
        with pytest.raises(errors.NotFound, match=r"gone\.away"):
            change("gone.away", by=olga)
