"""Where fill begins to read a lane: nothing that is held stays behind it, however it came into the lane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import User
from tasks.context import ChildTask
from tasks.lifecycle import children, ending, finish, promise, routing, sweep
from tasks.lifecycle.apply_limits import apply_limits
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.fill import MOST_LOOKED_UP, settle
from tasks.lifecycle.move import move_task, set_priority
from tasks.lifecycle.pause import pause_queue, resume_queue
from tasks.lifecycle.retry import retry_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Cluster, Lane, Queue, Task
from tasks.operations.action import Choice
from tasks.operations.manage import run_for, start_operation
from tasks.operations.task_filter import TaskFilter
from tests.locks import passing_over_lanes

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
ECHO = {"message": "x"}
# Its place is four minutes before those of the others.
URGENT = 9


@dataclass
class FullLane:
    """One slot, in which the second of three like tasks runs: fill has raised `low_key` to that one's place."""

    user: User
    olga: User
    running: Claimed
    third: Task

    @property
    def row(self) -> Lane:
        return Lane.objects.get(pk=self.running.lane_id)

    def submit(self, **options: Any) -> Task:
        return submit_task(self.user, Submission("diagnostic.echo", ECHO, **options)).task

    def end_running(self) -> UUID:
        """End what runs; return what became ready in its place."""
        assert finish.finish_attempt(self.running, ending.succeeded({"engine": {}}))
        return Task.objects.values_list("pk", flat=True).get(status="ready", lane=self.running.lane_id)


@pytest.fixture
def lane(make_user: Callable[..., User], olga: User, claim: Claim) -> Iterator[FullLane]:
    unlimited = dict.fromkeys(("per_minute", "high_per_day", "urgent_per_day"))
    carol = make_user("carol", slots=1, max_priority=10, **unlimited)
    Queue.objects.create(name="graphics", title="Graphics", cluster=Cluster.objects.create(name="gpu"))
    tasks = [submit_task(carol, Submission("diagnostic.echo", ECHO)).task for _ in range(3)]
    first = claim()
    assert first is not None
    finish.finish_attempt(first, ending.succeeded({"engine": {}}))
    running = claim()
    assert running is not None
    lane = FullLane(carol, olga, running, tasks[2])
    assert (running.id, lane.row.low_key) == (tasks[1].pk, tasks[1].line_key)
    yield lane
    routing.forget_cache()


def test_lane_is_read_from_the_last_that_was_moved(lane: FullLane) -> None:
    assert lane.end_running() == lane.third.pk
    assert lane.row.low_key == lane.third.line_key


# --- The ways into a lane ----------------------------------------------------------------------------


def submitted(lane: FullLane) -> UUID:
    return lane.submit(priority=URGENT).pk


def submitted_with_many(lane: FullLane) -> UUID:
    many = [Submission("diagnostic.echo", ECHO, priority=URGENT)] * (MOST_LOOKED_UP + 1)
    return UUID(submit_batch(lane.user, many).batch.items[0]["id"])


def came_due(lane: FullLane) -> UUID:
    task = lane.submit(priority=URGENT, run_after=datetime.now(UTC) + timedelta(seconds=10))
    Task.objects.filter(pk=task.pk).update(run_after=Now())
    sweep.start_due()
    return task.pk


def let_go_by_what_it_needed(lane: FullLane) -> UUID:
    return lane.submit(priority=URGENT, needs=[lane.running.id]).pk


def retried(lane: FullLane) -> UUID:
    task = _cancelled(lane)
    retry_task(task.pk, by=lane.user)
    return task.pk


def retried_with_many(lane: FullLane) -> UUID:
    task = _cancelled(lane)
    operation = start_operation(Choice("retry"), TaskFilter(statuses=("cancelled",)), by=lane.olga)
    run_for(operation.pk, 10)
    return task.pk


def _cancelled(lane: FullLane) -> Task:
    task = lane.submit(priority=URGENT, run_after=datetime.now(UTC) + timedelta(hours=1))
    cancel_task(task.pk, by=lane.user)
    assert lane.row.low_key > task.line_key - 3600
    return task


def moved_from_another_lane(lane: FullLane) -> UUID:
    task = lane.submit(priority=URGENT, queue="graphics")
    move_task(task.pk, "diagnostics", by=lane.olga)
    return task.pk


def made_urgent(lane: FullLane) -> UUID:
    task = lane.submit()
    set_priority(task.pk, URGENT, by=lane.olga)
    return task.pk


def in_a_queue_that_was_paused(lane: FullLane) -> UUID:
    pause_queue("text", by=lane.olga)
    task = lane.submit(priority=URGENT, queue="text")
    # Passed over, being in a paused queue.
    Lane.objects.filter(pk=lane.row.pk).update(low_key=lane.third.line_key)
    resume_queue("text", by=lane.olga)
    return task.pk


WAYS = (
    submitted,
    submitted_with_many,
    came_due,
    let_go_by_what_it_needed,
    retried,
    retried_with_many,
    moved_from_another_lane,
    made_urgent,
    in_a_queue_that_was_paused,
)


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_urgent_task_comes_next_whichever_way_it_came(lane: FullLane, way: Callable[[FullLane], UUID]) -> None:
    urgent = way(lane)
    assert lane.end_running() == urgent


@pytest.mark.parametrize("how", ["paused", "disabled"])
def test_task_that_lost_its_slot_is_the_first_to_get_it_back(
    make_user: Callable[..., User], olga: User, how: str
) -> None:
    dave = make_user("dave", slots=2)
    first, _second = [submit_task(dave, Submission("diagnostic.echo", ECHO)).task for _ in range(2)]
    if how == "paused":
        pause_queue("diagnostics", by=olga)
    else:
        _set_slots(dave, 0)
    assert not Task.objects.filter(status="ready").exists()
    _set_slots(dave, 1)
    if how == "paused":
        resume_queue("diagnostics", by=olga)
    assert Task.objects.get(status="ready").pk == first.pk


def _set_slots(user: User, slots: int) -> None:
    user.plan.slots = slots
    user.plan.save(update_fields=["slots"])
    apply_limits(user)


def test_child_in_another_cluster_is_ready_when_its_starter_ends(lane: FullLane) -> None:
    Queue.objects.filter(pk="diagnostics").update(cluster="gpu")
    routing.forget_cache()
    wanted = children.accept_children(lane.running, [ChildTask("diagnostic.echo", ECHO, key="a")])
    assert finish.finish_attempt(lane.running, ending.started_others(wanted))
    child = Task.objects.get(started_by=lane.running.id)
    assert (child.cluster, child.status) == ("gpu", "ready")


# --- What slips through --------------------------------------------------------------------------------


@pytest.fixture
def unseen(lane: FullLane, monkeypatch: pytest.MonkeyPatch) -> Task:
    """An urgent task whose second transaction was lost: nobody has told its lane."""
    monkeypatch.setattr(promise, "fill_soon", lambda *_, **__: [])
    with passing_over_lanes():
        return lane.submit(priority=URGENT)


def test_upkeep_finds_a_newcomer_that_the_lane_was_not_told_of(lane: FullLane, unseen: Task) -> None:
    assert sweep.mend_low_key() == 1
    assert lane.row.low_key == unseen.line_key
    assert sweep.mend_low_key() == 0
    assert lane.end_running() == unseen.pk


def test_upkeep_waits_for_nobody_who_holds_the_lane(lane: FullLane, unseen: Task) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT FROM lane FOR NO KEY UPDATE")
            assert sweep.mend_low_key() == 0
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert sweep.mend_low_key() == 1


def test_upkeep_never_raises(lane: FullLane) -> None:
    Lane.objects.update(low_key=F("low_key") - 1000)
    before = lane.row.low_key
    assert sweep.mend_low_key() == 0
    assert lane.row.low_key == before


def test_lane_with_room_is_filled_from_its_beginning_by_the_sweep(lane: FullLane, unseen: Task) -> None:
    Task.objects.filter(pk=lane.third.pk).delete()
    finish.record_ending(lane.running, ending.succeeded({"engine": {}}))
    # The slot comes back, and the newcomer is passed over.
    settle([(lane.running.token, lane.running.lane_id)], dependents=False, started=())
    assert Task.objects.get(pk=unseen.pk).status == "held"
    sweep.fill_idle()
    assert Task.objects.get(pk=unseen.pk).status == "ready"


def test_position_counts_all_that_is_held_before_a_task(lane: FullLane) -> None:
    urgent = lane.submit(priority=URGENT)
    assert (explain_wait(urgent).position, explain_wait(lane.third).position) == (1, 2)
