"""Moving tasks between queues, clusters and priorities: slots, places and dependencies stay right, also in races."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from accounts.models import User
from tasks import errors
from tasks.lifecycle import ending, finish, sweep
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.fill import settle
from tasks.lifecycle.move import move_locked, move_task, open_lanes, set_priority
from tasks.lifecycle.pause import lanes_to_fill
from tasks.models import AuditEntry, Cluster, Lane, Node, Queue, Settlement, Task
from tasks.models.ids import new_id
from tests.claims import claim_task
from tests.locks import wait_for_waiters

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]


@pytest.fixture
def graphics(db: None) -> Queue:
    """A queue of another cluster."""
    return Queue.objects.create(name="graphics", title="Graphics", cluster=Cluster.objects.create(name="gpu"))


def fresh(task: Task) -> Task:
    return Task.objects.get(pk=task.pk)


def taken(user: User, cluster: str = "default") -> int:
    return Lane.objects.get(user=user, cluster=cluster).taken


def test_moved_ready_task_frees_its_slot_for_the_next(
    make_user: Callable[..., User], olga: User, graphics: Queue, submit: Submit
) -> None:
    carol = make_user("carol", slots=1)
    first, second = submit(carol), submit(carol)
    moved = move_task(first.pk, "graphics", by=olga)
    assert (moved.queue_id, moved.cluster, moved.status) == ("graphics", "gpu", "ready")
    assert moved.lane_id == Lane.objects.get(user=carol, cluster="gpu").pk
    assert fresh(second).status == "ready"
    assert (taken(carol), taken(carol, "gpu")) == (1, 1)
    assert moved.line_key == first.line_key
    entry = AuditEntry.objects.get(action="move")
    assert (entry.target_id, entry.details) == (str(first.pk), {"queue": "graphics"})


def test_moving_within_a_cluster_keeps_the_lane_and_refunds_what_was_charged(
    alice: User, olga: User, submit: Submit
) -> None:
    task = submit(alice)
    before = Lane.objects.get(user=alice)
    moved = move_task(task.pk, "text", by=olga)
    after = Lane.objects.get(user=alice)
    assert (moved.queue_id, moved.lane_id, moved.status) == ("text", task.lane_id, "ready")
    assert (after.taken, after.vfinish) == (1, pytest.approx(before.vfinish))


def test_task_moved_into_a_paused_queue_waits_there(alice: User, olga: User, submit: Submit) -> None:
    task = submit(alice)
    Queue.objects.filter(name="text").update(paused_at="2026-01-01T00:00Z")
    assert move_task(task.pk, "text", by=olga).status == "held"
    assert taken(alice) == 0


def test_task_moved_to_another_cluster_runs_there(
    alice: User, olga: User, graphics: Queue, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    move_task(task.pk, "graphics", by=olga)
    assert claim() is None
    there = Node.objects.create(id=new_id(), name="n", cluster_id="gpu", host="h", pid=1, version="0", workers=1)
    claimed = claim_task(cluster="gpu", node=there.pk, pid=1, token=uuid4())
    assert claimed is not None
    assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    assert (fresh(task).status, taken(alice), taken(alice, "gpu")) == ("succeeded", 0, 0)


def test_started_ended_and_unknown_tasks_stay_where_they_are(
    alice: User, olga: User, submit: Submit, claim: Claim
) -> None:
    running = submit(alice)
    assert claim() is not None
    cancelled = submit(alice)
    cancel_task(cancelled.pk, by=alice)
    for task in (running, cancelled):
        with pytest.raises(errors.WrongStatus):
            move_task(task.pk, "text", by=olga)
        with pytest.raises(errors.WrongStatus):
            set_priority(task.pk, 9, by=olga)
        assert (fresh(task).queue_id, fresh(task).priority) == ("diagnostics", 5)
    with pytest.raises(errors.NotFound):
        move_task(running.pk, "nowhere", by=olga)
    with pytest.raises(errors.NotFound):
        move_task(uuid4(), "text", by=olga)
    with pytest.raises(errors.InvalidInput):
        set_priority(running.pk, 11, by=olga)
    assert not AuditEntry.objects.filter(action__in=("move", "set_priority")).exists()


def test_moving_to_where_it_is_changes_nothing(alice: User, olga: User, submit: Submit) -> None:
    task = submit(alice)
    assert move_task(task.pk, "diagnostics", by=olga).version == task.version
    assert set_priority(task.pk, 5, by=olga).version == task.version
    assert not AuditEntry.objects.exists()


def test_scheduled_task_starts_in_the_queue_that_it_was_moved_to(
    alice: User, olga: User, graphics: Queue, submit: Submit
) -> None:
    task = submit(alice, run_after="2099-01-01T00:00:00Z")
    assert move_task(task.pk, "graphics", by=olga).status == "scheduled"
    Task.objects.filter(pk=task.pk).update(run_after="2026-01-01T00:00Z")
    sweep.start_due()
    assert (fresh(task).status, taken(alice, "gpu")) == ("ready", 1)


# --- Races ------------------------------------------------------------------------------------------


def in_a_thread(act: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Run it on another connection; what it returns or raises is in the list."""
    said: list[object] = []

    def run() -> None:
        try:
            said.append(act())
        except errors.TaskError as error:
            said.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, said


def test_move_that_waited_for_a_claim_leaves_the_task_to_the_worker(
    alice: User, olga: User, graphics: Queue, submit: Submit, node: UUID
) -> None:
    task = submit(alice)
    with transaction.atomic():
        claimed = claim_task(cluster="default", node=node, pid=1, token=uuid4())
        thread, said = in_a_thread(lambda: move_task(task.pk, "graphics", by=olga))
        wait_for_waiters()
    thread.join(120)
    assert claimed is not None
    assert [type(answer) for answer in said] == [errors.WrongStatus]
    assert (fresh(task).status, fresh(task).cluster, taken(alice), taken(alice, "gpu")) == ("running", "default", 1, 0)
    assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    assert taken(alice) == 0


def test_claim_passes_over_a_task_that_is_just_being_moved(
    alice: User, graphics: Queue, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    open_lanes([task.pk], graphics)
    claims: list[object] = []
    with transaction.atomic():
        assert move_locked([task.pk], graphics).tasks == [task.pk]
        thread, claims = in_a_thread(claim)
        thread.join(120)
        assert claims == [None], "it neither waits nor takes it"
    assert claim() is None
    assert (fresh(task).status, taken(alice), taken(alice, "gpu")) == ("ready", 0, 1)


def test_need_that_ends_while_its_dependent_moves_still_lets_it_go(
    alice: User, olga: User, graphics: Queue, submit: Submit, claim: Claim
) -> None:
    """The end looks up the dependent's lane before the move commits: it must not look into the lane that it left."""
    parent = submit(alice)
    child = submit(alice, needs=[parent.pk])
    claimed = claim()
    assert claimed is not None
    open_lanes([child.pk], graphics)
    with transaction.atomic():
        assert move_locked([child.pk], graphics).tasks == [child.pk]
        thread, said = in_a_thread(lambda: finish.finish_attempt(claimed, ending.succeeded({"engine": {}})))
        wait_for_waiters()
    thread.join(120)
    assert said == [True]
    assert (fresh(child).status, fresh(child).cluster) == ("ready", "gpu")
    assert not Settlement.objects.exists()


def test_need_that_ended_but_is_not_settled_lets_go_a_task_that_moves(
    alice: User, olga: User, graphics: Queue, submit: Submit, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = submit(alice)
    child = submit(alice, needs=[parent.pk])
    claimed = claim()
    assert claimed is not None
    with monkeypatch.context() as crash:
        crash.setattr(finish, "settle", lambda *_args, **_kwargs: None)
        assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    assert fresh(child).status == "waiting"
    assert move_task(child.pk, "graphics", by=olga).status == "ready"
    settle([(row.token, row.lane_id) for row in Settlement.objects.all()], dependents=True)
    assert (fresh(child).status, taken(alice), taken(alice, "gpu")) == ("ready", 0, 1)


def test_cancelling_and_moving_at_once_ends_the_task_once(
    alice: User, olga: User, graphics: Queue, submit: Submit
) -> None:
    task = submit(alice)
    open_lanes([task.pk], graphics)
    with transaction.atomic():
        move_locked([task.pk], graphics)
        thread, said = in_a_thread(lambda: cancel_task(task.pk, by=olga).status)
        wait_for_waiters()
    thread.join(120)
    Task.objects.filter(pk=task.pk, status="ready").update(cancel_requested_at="2026-01-01T00:00Z")
    sweep.end_cancelled_and_expired()
    assert len(said) == 1
    assert (fresh(task).status, taken(alice), taken(alice, "gpu")) == ("cancelled", 0, 0)


# --- Priority ---------------------------------------------------------------------------------------


def test_priority_moves_a_held_task_to_the_place_it_would_have_had(
    make_user: Callable[..., User], olga: User, submit: Submit
) -> None:
    carol = make_user("carol", slots=1)
    ready, second, third = (submit(carol) for _ in range(3))
    changed = set_priority(third.pk, 4, by=olga)
    assert (changed.status, changed.line_key) == ("held", pytest.approx(third.line_key + 60))
    assert (changed.priority_requested, changed.priority_reason) == (5, "set_by_operator")
    cancel_task(ready.pk, by=olga)
    assert (fresh(second).status, fresh(third).status) == ("ready", "held")
    entry = AuditEntry.objects.get(action="set_priority")
    assert entry.details == {"before": 5, "priority": 4}


def test_raised_task_takes_the_slot_of_a_lesser_one_that_nobody_has_claimed(
    make_user: Callable[..., User], olga: User, submit: Submit
) -> None:
    carol = make_user("carol", slots=1)
    first, second = submit(carol), submit(carol)
    assert set_priority(second.pk, 9, by=olga).status == "ready"
    assert (fresh(first).status, taken(carol)) == ("held", 1)


def test_priority_of_a_ready_task_changes_its_place_in_the_shared_line(
    alice: User, bob: User, olga: User, submit: Submit, claim: Claim
) -> None:
    submit(alice)
    last = submit(bob)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cluster SET low_rank = (SELECT min(rank) FROM task)")
    changed = set_priority(last.pk, 10, by=olga)
    warp = Cluster.objects.get(name="default").warp
    assert last.rank is not None
    assert (changed.status, changed.rank) == ("ready", pytest.approx(last.rank - 5 * warp))
    claimed = claim()
    assert claimed is not None
    assert claimed.id == last.pk, "claims begin at the lowest rank, which it is now"


def test_lanes_to_fill_finds_every_lane_with_room_and_work_and_no_other(
    make_user: Callable[..., User], olga: User, submit: Submit
) -> None:
    lanes = {}
    for name in ("idle", "full", "cancelled", "paused", "both", "open"):
        user = make_user(name, slots=1)
        tasks = [submit(user) for _ in range(2)]
        lanes[name] = Lane.objects.get(user=user).pk
        room = {"full": 1}.get(name, 2)
        Lane.objects.filter(pk=lanes[name]).update(slots=room)
        if name == "idle":
            cancel_task(tasks[1].pk, by=olga)
        if name == "cancelled":
            Task.objects.filter(pk=tasks[1].pk).update(cancel_requested_at="2026-01-01T00:00Z")
        if name in {"paused", "both"}:
            Task.objects.filter(pk=tasks[1].pk).update(queue="audio")
        if name == "both":
            submit(user)
            Lane.objects.filter(pk=lanes[name]).update(slots=2, taken=1)
            Task.objects.filter(lane=lanes[name], status="ready", queue="diagnostics").exclude(pk=tasks[0].pk).update(
                status="held", rank=None
            )
    assert lanes_to_fill(["diagnostics", "text"], limit=10) == [lanes["both"], lanes["open"]]
    assert lanes_to_fill(["text"], limit=10) == []
    assert lanes_to_fill(["diagnostics"], limit=1) == [lanes["both"]]
