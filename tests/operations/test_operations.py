"""Operations on many tasks: exact, paced, pausable; a kill at any point neither skips a task nor does one twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models.functions import Now

from accounts.models import User
from tasks import errors, sql
from tasks.cluster.maintenance import register_duties
from tasks.duties import all_duties
from tasks.lifecycle import ending, finish, sweep
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.move import open_lanes
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import AuditEntry, Cluster, Duty, Lane, Operation, Queue, Task
from tasks.operations import manage, step
from tasks.operations.action import Choice
from tasks.operations.actions import move, retry, set_priority
from tasks.operations.manage import (
    cancel_operation,
    pause_operation,
    resume_operation,
    run_for,
    run_operations,
    start_operation,
)
from tasks.operations.step import Taken, take_step
from tasks.operations.task_filter import TaskFilter, read_filter
from tasks.owned import get_owned

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]

CANCEL, RETRY, PURGE = Choice("cancel"), Choice("retry"), Choice("purge")
ECHO = Submission("diagnostic.echo", {"message": "x"})


@pytest.fixture
def crowd(make_user: Callable[..., User]) -> User:
    """A user who may have as many tasks waiting as a test wants."""
    return make_user("crowd", plan="Internal", slots=3)


def submit_many(user: User, count: int) -> None:
    for start in range(0, count, 1000):
        submit_batch(user, [ECHO] * min(1000, count - start))


def fail_all(user: User) -> None:
    Task.objects.of(user).update(status="failed", rank=None, finished_at=Now(), error={"code": "c", "message": "m"})
    Lane.objects.filter(user=user).update(taken=0)


def statuses(user: User) -> Counter[str]:
    return Counter(Task.objects.of(user).values_list("status", flat=True))


def let_pass(operation: Operation, seconds: float = 1.0) -> None:
    """Let time pass for the pace of an operation."""
    Operation.objects.filter(pk=operation.pk).update(paced_at=Now() - timedelta(seconds=seconds))


def finish_operation(operation: Operation) -> Operation:
    for _ in range(1000):
        run_operations()
        let_pass(operation)
        found = get_owned(Operation, operation.pk, owner=None)
        if found.status != "running":
            return found
    raise AssertionError("the operation does not end")


def counts(operation: Operation) -> tuple[int, int, int, int, int]:
    return operation.total, operation.done, operation.changed, operation.skipped, operation.failed


def check_slots() -> None:
    for lane in Lane.objects.all():
        assert lane.taken == Task.objects.filter(lane=lane, status__in=("ready", "running")).count() <= lane.slots


# --- What they do -----------------------------------------------------------------------------------


def test_cancel_ends_what_waits_and_tells_what_runs(alice: User, olga: User, submit: Submit, claim: Claim) -> None:
    tasks = [submit(alice) for _ in range(6)]
    assert claim() is not None
    operation = start_operation(CANCEL, TaskFilter(type="diagnostic.echo"), by=olga)
    assert statuses(alice) == {"running": 1, "ready": 3, "held": 2}, "nothing happens within the request"
    done = finish_operation(operation)
    assert (done.status, counts(done)) == ("finished", (6, 6, 6, 0, 0))
    assert statuses(alice) == {"running": 1, "cancelled": 5}
    assert Task.objects.get(status="running").shown_status == "cancelling"
    check_slots()
    entries = AuditEntry.objects.filter(action="cancel", target_kind="task", actor=olga)
    assert {entry.target_id for entry in entries} == {str(task.pk) for task in tasks}
    assert {entry.details["operation"] for entry in entries} == {str(operation.pk)}
    of_operation = AuditEntry.objects.filter(target_kind="operation", target_id=str(operation.pk)).order_by("pk")
    assert [entry.action for entry in of_operation] == ["start", "finish"]
    assert of_operation[1].details["changed"] == 6


def test_retry_brings_back_what_failed_before_it_and_fills_the_slots(alice: User, olga: User, submit: Submit) -> None:
    for _ in range(6):
        submit(alice)
    fail_all(alice)
    operation = start_operation(RETRY, TaskFilter(statuses=("failed",)), by=olga)
    done = finish_operation(operation)
    assert counts(done) == (6, 6, 6, 0, 0)
    assert statuses(alice) == {"ready": 4, "held": 2}
    check_slots()


def test_retry_leaves_out_what_fails_again_meanwhile(alice: User, olga: User, submit: Submit) -> None:
    for _ in range(3):
        submit(alice)
    fail_all(alice)
    operation = start_operation(RETRY, TaskFilter(statuses=("failed",)), by=olga)
    last = Task.objects.order_by("pk").last()
    assert last is not None
    Task.objects.filter(pk=last.pk).update(finished_at=Now() + timedelta(seconds=1))
    assert counts(finish_operation(operation)) == (3, 2, 2, 0, 0)
    assert Task.objects.get(pk=last.pk).status == "failed"


def test_retry_names_the_reasons_of_those_that_cannot_run_again(alice: User, olga: User, submit: Submit) -> None:
    purged, broken, fine = submit(alice), submit(alice), submit(alice)
    child = submit(alice, needs=[broken.pk])
    fail_all(alice)
    purged.content.delete()
    Task.objects.filter(pk=broken.pk).update(type="another")
    done = finish_operation(start_operation(RETRY, TaskFilter(type="diagnostic.echo"), by=olga))
    assert counts(done) == (3, 3, 1, 0, 2)
    assert done.reasons == {retry.PURGED: 1, retry.BROKEN: 1}
    assert Task.objects.get(pk=fine.pk).status == "ready"
    assert Task.objects.get(pk=child.pk).status == "failed"


def test_retry_revives_a_whole_chain_in_its_order(alice: User, olga: User, submit: Submit, claim: Claim) -> None:
    first = submit(alice)
    second = submit(alice, needs=[first.pk])
    third = submit(alice, needs=[second.pk])
    fail_all(alice)
    assert counts(finish_operation(start_operation(RETRY, TaskFilter(owners=(alice.pk,)), by=olga)))[2] == 3
    for task, expected in ((first, "ready"), (second, "waiting"), (third, "waiting")):
        assert Task.objects.get(pk=task.pk).status == expected
    for _ in range(3):
        claimed = claim()
        assert claimed is not None
        assert finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))
    assert statuses(alice) == {"succeeded": 3}


def test_move_takes_tasks_of_all_users_to_their_lanes_in_the_other_cluster(
    alice: User, bob: User, olga: User, submit: Submit, claim: Claim
) -> None:
    Queue.objects.create(name="graphics", title="Graphics", cluster=Cluster.objects.create(name="gpu"))
    for user in (alice, bob):
        for _ in range(6):
            submit(user)
    running = claim()
    assert running is not None
    operation = start_operation(Choice("move", to_queue="graphics"), TaskFilter(queue="diagnostics"), by=olga)
    done = finish_operation(operation)
    assert counts(done) == (11, 11, 11, 0, 0)
    assert Task.objects.filter(cluster="default").get().pk == running.id
    assert dict(Lane.objects.values_list("user", "taken").filter(cluster="gpu")) == {alice.pk: 4, bob.pk: 4}
    check_slots()


def test_purge_empties_a_queue_but_lets_what_runs_go_on(alice: User, olga: User, submit: Submit, claim: Claim) -> None:
    for _ in range(5):
        submit(alice)
    submit(alice, run_after="2099-01-01T00:00:00Z")
    assert claim() is not None
    other = submit(alice)
    Task.objects.filter(pk=other.pk).update(queue="text")
    done = finish_operation(start_operation(PURGE, TaskFilter(queue="diagnostics"), by=olga))
    assert counts(done) == (5, 5, 5, 0, 0)
    assert statuses(alice) == {"running": 1, "cancelled": 5, "ready": 1}
    assert Task.objects.get(status="running").cancel_requested_at is None
    check_slots()


def test_set_priority_changes_the_place_of_all(alice: User, olga: User, submit: Submit) -> None:
    for _ in range(6):
        submit(alice)
    done = finish_operation(start_operation(Choice("set_priority", to_priority=2), TaskFilter(type="diagnostic.echo"),
                                            by=olga))  # fmt: skip
    assert counts(done) == (6, 6, 6, 0, 0)
    assert set(Task.objects.values_list("priority", flat=True)) == {2}


def test_tasks_that_came_after_the_wish_are_left_alone(alice: User, olga: User, submit: Submit) -> None:
    before = submit(alice)
    operation = start_operation(CANCEL, TaskFilter(type="diagnostic.echo"), by=olga)
    after = submit(alice)
    assert finish_operation(operation).done == 1
    assert Task.objects.get(pk=before.pk).status == "cancelled"
    assert Task.objects.get(pk=after.pk).status == "ready"


def test_task_that_starts_before_its_turn_is_skipped_by_a_purge(
    alice: User, olga: User, submit: Submit, claim: Claim
) -> None:
    submit(alice)
    submit(alice)
    operation = start_operation(PURGE, TaskFilter(queue="diagnostics"), by=olga)
    assert claim() is not None
    assert counts(finish_operation(operation)) == (2, 1, 1, 0, 0)
    assert statuses(alice) == {"running": 1, "cancelled": 1}


# --- Refused ----------------------------------------------------------------------------------------


def test_empty_filter_is_refused_by_the_function_and_by_the_table(alice: User, olga: User, submit: Submit) -> None:
    task = submit(alice)
    with pytest.raises(errors.InvalidInput, match="filter"):
        start_operation(CANCEL, TaskFilter(), by=olga)
    with pytest.raises(IntegrityError, match="operation_has_filter"):
        Operation.objects.create(kind="cancel", filter={}, cursor=task.pk, last_id=task.pk, total=1, pace=1)
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("tag", None),
        ("", "operation_kind_slug"),
        ("two words", "operation_kind_slug"),
        ("move", "operation_has_goal"),
        ("set_priority", "operation_has_goal"),
    ],
)
def test_table_takes_any_slug_as_a_kind_and_keeps_the_goals_of_its_own(kind: str, rule: str | None) -> None:
    row = Operation(kind=kind, filter={"queue": "text"}, cursor=UUID(int=0), last_id=UUID(int=1), total=2, pace=1)
    if rule:
        with pytest.raises(IntegrityError, match=rule):
            row.save(force_insert=True)
        return
    row.save(force_insert=True)
    assert str(row) == "Tag of 2 tasks"


@pytest.mark.parametrize(
    ("action", "wanted", "pace"),
    [
        (Choice("move", to_queue="nowhere"), TaskFilter(queue="text"), 1),
        (Choice("set_priority"), TaskFilter(queue="text"), 1),
        (Choice("set_priority", to_priority=11), TaskFilter(queue="text"), 1),
        (PURGE, TaskFilter(type="diagnostic.echo"), 1),
        (CANCEL, TaskFilter(queue="text"), 0),
        (CANCEL, TaskFilter(queue="text"), 1_000_000),
        (CANCEL, TaskFilter(queue="text"), 1),
    ],
)
def test_incomplete_and_idle_operations_are_refused(olga: User, action: Choice, wanted: TaskFilter, pace: int) -> None:
    with pytest.raises(errors.Refused):
        start_operation(action, wanted, by=olga, pace=pace)
    assert not Operation.objects.exists()
    assert not AuditEntry.objects.exists()


def test_more_tasks_than_an_operation_takes_are_refused(
    alice: User, olga: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manage, "MOST_TASKS", 2)
    for _ in range(3):
        submit(alice)
    with pytest.raises(errors.InvalidInput, match="More than 2 tasks"):
        start_operation(CANCEL, TaskFilter(queue="diagnostics"), by=olga)


@pytest.mark.parametrize("data", [{"all": True}, {"ids": ["x"]}, {"queue": "a\0b"}, [], None, {"batch": 1}])
def test_what_is_no_filter_is_refused(data: Any) -> None:
    with pytest.raises(errors.InvalidInput):
        read_filter(data)


def test_filter_survives_being_stored(alice: User) -> None:
    wanted = TaskFilter(statuses=("failed",), owners=(alice.pk,), error_head="", created_after="2026-01-01T00:00Z")
    assert read_filter(wanted.as_json()) == wanted


# --- Owners -----------------------------------------------------------------------------------------


def test_owners_operation_touches_only_their_own_tasks(alice: User, bob: User, submit: Submit) -> None:
    mine, other = submit(alice), submit(bob)
    operation = start_operation(CANCEL, TaskFilter(type="diagnostic.echo"), by=alice, owner=alice)
    assert counts(finish_operation(operation)) == (1, 1, 1, 0, 0)
    assert Task.objects.get(pk=mine.pk).status == "cancelled"
    assert Task.objects.get(pk=other.pk).status == "ready"
    for act in (pause_operation, resume_operation, cancel_operation):
        with pytest.raises(errors.NotFound):
            act(operation.pk, by=bob, owner=bob)
    with pytest.raises(errors.InvalidInput):
        start_operation(Choice("move", to_queue="text"), TaskFilter(owners=(alice.pk,)), by=alice, owner=alice)


def test_owners_retry_counts_against_the_quota_and_rests_when_the_day_is_used_up(
    make_user: Callable[..., User], submit: Submit
) -> None:
    carol = make_user("carol", per_day=5)
    for _ in range(3):
        submit(carol)
    fail_all(carol)
    operation = start_operation(RETRY, TaskFilter(statuses=("failed",)), by=carol, owner=carol)
    rests = finish_operation(operation)
    assert (rests.status, counts(rests)) == ("paused", (3, 2, 2, 0, 0))
    assert "tasks a day" in rests.error
    carol.plan.per_day = 6
    carol.plan.save(update_fields=["per_day"])
    resume_operation(operation.pk, by=carol, owner=carol)
    assert counts(finish_operation(operation)) == (3, 3, 3, 0, 0)


def test_owners_retry_waits_for_room_and_goes_on_by_itself(make_user: Callable[..., User], submit: Submit) -> None:
    carol = make_user("carol", max_waiting=2, slots=2)
    for _ in range(4):
        cancel_task(submit(carol).pk, by=carol)
    operation = start_operation(RETRY, TaskFilter(statuses=("cancelled",)), by=carol, owner=carol)
    run_operations()
    waiting = get_owned(Operation, operation.pk, owner=carol)
    assert (waiting.status, waiting.done) == ("running", 2)
    assert "waiting tasks" in waiting.error
    for task in Task.objects.filter(status="ready"):
        cancel_task(task.pk, by=carol)
    let_pass(operation)
    assert finish_operation(operation).done == 4


# --- Pace, pauses -----------------------------------------------------------------------------------


def test_five_thousand_tasks_are_cancelled_at_the_pace_and_each_once(crowd: User, olga: User) -> None:
    submit_many(crowd, 5000)
    operation = start_operation(CANCEL, TaskFilter(owners=(crowd.pk,)), by=olga, pace=1000)
    assert operation.total == 5000
    assert run_operations(seconds=0.01) == step.STEP, "a step, for the time was over"
    run_operations(seconds=1.5)
    first = get_owned(Operation, operation.pk, owner=None)
    assert step.STEP < first.done < 5000, "not all at once"
    done = finish_operation(operation)
    assert counts(done) == (5000, 5000, 5000, 0, 0)
    assert statuses(crowd) == {"cancelled": 5000}
    assert AuditEntry.objects.filter(action="cancel", target_kind="task").count() == 5000
    check_slots()


def test_pace_gives_no_more_than_a_seconds_worth_at_once(crowd: User, olga: User) -> None:
    submit_many(crowd, 20)
    operation = start_operation(CANCEL, TaskFilter(owners=(crowd.pk,)), by=olga, pace=3)
    let_pass(operation, seconds=3600)
    assert run_operations(seconds=0.1) == 3
    Operation.objects.update(paced_at=Now() + timedelta(hours=1))
    assert run_operations(seconds=0.1) == 3, "after the clock was set back it does not wait for an hour"


def test_paused_operation_rests_until_it_is_resumed(crowd: User, olga: User) -> None:
    submit_many(crowd, 10)
    operation = start_operation(CANCEL, TaskFilter(owners=(crowd.pk,)), by=olga, pace=4)
    run_operations(seconds=0.1)
    assert pause_operation(operation.pk, by=olga).status == "paused"
    let_pass(operation)
    assert run_operations() == 0
    assert pause_operation(operation.pk, by=olga).status == "paused"
    assert resume_operation(operation.pk, by=olga).status == "running"
    assert counts(finish_operation(operation)) == (10, 10, 10, 0, 0)
    actions = AuditEntry.objects.filter(target_kind="operation").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["start", "pause", "resume", "finish"]


def test_cancelled_operation_stops_where_it_is(crowd: User, olga: User) -> None:
    submit_many(crowd, 10)
    operation = start_operation(CANCEL, TaskFilter(owners=(crowd.pk,)), by=olga, pace=4)
    run_operations(seconds=0.1)
    stopped = cancel_operation(operation.pk, by=olga)
    assert (stopped.status, stopped.done) == ("cancelled", 4)
    assert stopped.finished_at is not None
    assert resume_operation(operation.pk, by=olga).status == "cancelled"
    let_pass(operation)
    assert run_operations() == 0
    assert statuses(crowd)["cancelled"] == 4


def test_tasks_far_apart_are_found_by_walking_in_windows(
    crowd: User, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "WINDOW", 7)
    submit_many(crowd, 60)
    ids = list(Task.objects.order_by("pk").values_list("pk", flat=True))
    rare = [ids[0], ids[30], ids[31], ids[59]]
    Task.objects.filter(pk__in=rare).update(type="rare")
    done = finish_operation(start_operation(CANCEL, TaskFilter(type="rare"), by=olga))
    assert counts(done) == (4, 4, 4, 0, 0)
    assert set(Task.objects.filter(status="cancelled").values_list("pk", flat=True)) == set(rare)


# --- Kills, races -----------------------------------------------------------------------------------


class Killed(BaseException):
    """The process dies here."""


@contextmanager
def killed_at(statement: int) -> Iterator[None]:
    """Die before the n-th statement, on the ORM's way and on that of `tasks.sql`."""
    left = statement
    run, plain = sql.run, sql.execute

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    def dying_run(name: str, params: Any, **row: Any) -> Any:
        count()
        return run(name, params, **row)

    def dying_plain(name: str, params: Any) -> None:
        count()
        plain(name, params)

    def dying_execute(execute: Any, *args: Any) -> Any:
        count()
        return execute(*args)

    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(dying_execute):
        patch.setattr(sql, "run", dying_run)
        patch.setattr(sql, "execute", dying_plain)
        yield


GOALS = {
    "cancel": (CANCEL, {"cancelled": 7}),
    "retry": (RETRY, {"ready": 3, "held": 4}),
    "move": (Choice("move", to_queue="text"), {"ready": 3, "held": 4}),
    "set_priority": (Choice("set_priority", to_priority=2), {"ready": 3, "held": 4}),
}


@pytest.mark.parametrize("kind", GOALS)
def test_operation_killed_before_any_of_its_statements_resumes_exactly(crowd: User, olga: User, kind: str) -> None:
    action, expected = GOALS[kind]
    submit_many(crowd, 7)
    if kind == "retry":
        fail_all(crowd)
    operation = start_operation(action, TaskFilter(owners=(crowd.pk,)), by=olga, pace=2)
    kills = 0
    for statement in range(1, 200):
        let_pass(operation)
        try:
            with killed_at(statement):
                run_operations(seconds=0.01)
            break
        except Killed:
            kills += 1
            connection.close()
    done = finish_operation(operation)
    assert kills > 8, "there was something to kill"
    assert counts(done) == (7, 7, 7, 0, 0)
    Task.objects.filter(cancel_requested_at__isnull=False).update(cancel_requested_at="2026-01-01T00:00Z")
    sweep.end_cancelled_and_expired()
    sweep.fill_idle()
    assert statuses(crowd) == expected
    assert set(AuditEntry.objects.filter(target_kind="task").values_list("action", flat=True)) == {kind}
    assert AuditEntry.objects.filter(target_kind="task").count() == 7, "each once"
    check_slots()


def test_two_nodes_at_once_cover_each_task_once(crowd: User, olga: User) -> None:
    submit_many(crowd, 600)
    operation = start_operation(CANCEL, TaskFilter(owners=(crowd.pk,)), by=olga, pace=5000)
    start = threading.Barrier(3)
    done: list[int] = []

    def node() -> None:
        start.wait()
        done.append(sum(run_operations() for _ in range(10)))
        connection.close()

    nodes = [threading.Thread(target=node) for _ in range(3)]
    for thread in nodes:
        thread.start()
    for thread in nodes:
        thread.join(120)
    assert sum(done) == 600
    assert counts(get_owned(Operation, operation.pk, owner=None)) == (600, 600, 600, 0, 0)
    assert AuditEntry.objects.filter(action="cancel", target_kind="task").count() == 600


def test_operation_that_another_node_is_at_is_passed_over(alice: User, olga: User, submit: Submit) -> None:
    submit(alice)
    operation = start_operation(CANCEL, TaskFilter(owners=(alice.pk,)), by=olga)
    answers: list[object] = []

    def other() -> None:
        answers.append(take_step(operation.pk))
        connection.close()

    with transaction.atomic():
        [taken] = sql.run("operations/take_operation", {"operation": operation.pk}, row=Taken)
        assert taken.allowed >= 1
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(120)
        assert answers == [None], "without waiting"
    assert take_step(operation.pk) == 1


def test_operation_in_trouble_lets_others_go_on_and_rests_after_ten_failures(
    alice: User, bob: User, olga: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(alice)
    submit(bob)
    bad = start_operation(Choice("set_priority", to_priority=2), TaskFilter(owners=(alice.pk,)), by=olga)
    good = start_operation(CANCEL, TaskFilter(owners=(bob.pk,)), by=olga)

    def fail(*_args: object) -> None:
        raise DatabaseError("out of paper")

    monkeypatch.setattr(set_priority, "set_priority_locked", fail)
    for _ in range(manage.MOST_TROUBLE):
        assert get_owned(Operation, bad.pk, owner=None).status == "running"
        run_operations()
    assert get_owned(Operation, good.pk, owner=None).status == "finished"
    rests = get_owned(Operation, bad.pk, owner=None)
    assert (rests.status, rests.error, rests.done) == ("paused", "out of paper", 0)
    monkeypatch.undo()
    resume_operation(bad.pk, by=olga)
    assert counts(finish_operation(bad)) == (1, 1, 1, 0, 0)


@pytest.mark.parametrize("said", ["'missing'", "with \0 and \ud800"])
def test_bug_of_an_action_stops_neither_other_operations_nor_the_duty(
    alice: User, bob: User, olga: User, submit: Submit, monkeypatch: pytest.MonkeyPatch, said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    submit(alice)
    submit(bob)
    bad = start_operation(Choice("set_priority", to_priority=2), TaskFilter(owners=(alice.pk,)), by=olga)
    good = start_operation(CANCEL, TaskFilter(owners=(bob.pk,)), by=olga)

    def fail(*_args: object) -> None:
        raise ValueError(said)

    monkeypatch.setattr(set_priority, "set_priority_locked", fail)
    run_operations()
    assert get_owned(Operation, good.pk, owner=None).status == "finished"
    going = get_owned(Operation, bad.pk, owner=None)
    assert (going.status, going.trouble_count) == ("running", 1)
    assert going.error == f"The action fails with ValueError: {ending.clean(said)}"
    [told] = [record for record in caplog.records if record.exc_info]
    assert str(bad.pk) in told.message
    run_for(bad.pk, 1.0)
    assert get_owned(Operation, bad.pk, owner=None).trouble_count == 2
    monkeypatch.undo()
    assert counts(finish_operation(bad)) == (1, 1, 1, 0, 0)


def test_move_to_a_queue_that_is_gone_rests_with_the_reason(alice: User, olga: User, submit: Submit) -> None:
    submit(alice)
    Queue.objects.create(name="short", title="Short", cluster_id="default")
    operation = start_operation(Choice("move", to_queue="short"), TaskFilter(owners=(alice.pk,)), by=olga)
    Queue.objects.filter(name="short").delete()
    run_operations()
    rests = get_owned(Operation, operation.pk, owner=None)
    assert (rests.status, rests.error) == ("paused", "There is no queue short.")


def test_duty_carries_operations_out() -> None:
    assert all_duties()["run_operations"].run is run_operations
    register_duties()
    assert Duty.objects.get(name="run_operations").every_seconds == 1


def test_user_without_a_lane_in_the_other_cluster_gets_one_in_the_next_step(
    alice: User, bob: User, olga: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making the lanes and moving, a task of somebody else may come onto the page."""
    Queue.objects.create(name="graphics", title="Graphics", cluster=Cluster.objects.create(name="gpu"))
    submit(alice)
    submit(bob)
    operation = start_operation(Choice("move", to_queue="graphics"), TaskFilter(queue="diagnostics"), by=olga)
    real = open_lanes
    monkeypatch.setattr(move, "open_lanes", lambda tasks, goal: real(tasks[:1], goal))
    assert take_step(operation.pk) == 1
    assert take_step(operation.pk) == 1
    assert Task.objects.filter(cluster="gpu", status="ready").count() == 2
    assert get_owned(Operation, operation.pk, owner=None).status == "finished"
