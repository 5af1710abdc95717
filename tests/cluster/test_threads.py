"""Work that waits runs in threads beside others; short work is claimed together. Neither loses nor blames wrongly."""

from __future__ import annotations

import signal
from collections.abc import Callable
from itertools import pairwise

import psutil
import pytest

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Attempt, Lane, Task

from .conftest import RunningNode, shorten, wait_for_end, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]


@pytest.fixture
def carol(make_user: Callable[..., User]) -> User:
    return make_user("carol", slots=100, per_minute=None, max_priority=10)


def sleeps(user: User, count: int, seconds: float, **more: object) -> list[Task]:
    one = Submission("diagnostic.sleep", {"seconds": seconds, **more})
    return list(submit_batch(user, [one] * count).batch.tasks.order_by("id"))


def running(count: int) -> Callable[[], bool]:
    return lambda: Task.objects.filter(status="running").count() == count


def test_sixty_four_waits_of_a_second_run_side_by_side(carol: User, start_node: StartNode) -> None:
    node = start_node(workers=2)
    tasks = sleeps(carol, 64, 1)
    wait_for_end(*tasks)
    assert {task.status for task in tasks} == {"succeeded"}
    assert {task.attempt_number for task in tasks} == {1}
    # At least most of them at once: one after the other in two workers they would take 32 s.
    first, last = min(task.started_at for task in tasks), max(task.finished_at for task in tasks)
    assert (last - first).total_seconds() < 25
    wait_until(lambda: Lane.objects.get(user=carol).taken == 0, what="the slots")
    assert len(node.processes) < 10


def test_waiting_work_does_not_keep_a_worker_from_other_work(carol: User, start_node: StartNode) -> None:
    start_node(workers=1)
    waits = sleeps(carol, 3, 600)
    wait_until(running(3), what="three waits in one worker")
    echo = submit_task(carol, Submission("diagnostic.echo", {"message": "x"})).task
    wait_for_end(echo)
    assert echo.status == "succeeded"
    for task in waits:
        cancel_task(task.pk, by=carol)
    wait_for_end(*waits)
    assert {task.status for task in waits} == {"cancelled"}


def test_waiting_work_starts_although_every_worker_computes(carol: User, start_node: StartNode) -> None:
    start_node(workers=1)
    computes = submit_task(carol, Submission("diagnostic.fail", {"mode": "cpu", "seconds": 600})).task
    wait_until(running(1), what="the worker")
    [wait] = sleeps(carol, 1, 0.3)
    wait_for_end(wait)
    assert wait.status == "succeeded"
    assert Task.objects.get(pk=computes.pk).status == "running"


def test_task_in_a_thread_is_cancelled_and_its_neighbours_go_on(carol: User, start_node: StartNode) -> None:
    start_node(workers=1)
    [first], others = sleeps(carol, 1, 600), sleeps(carol, 3, 5)
    wait_until(running(4), what="all four")
    cancel_task(first.pk, by=carol)
    wait_for_end(first, *others)
    assert first.status == "cancelled"
    assert [(task.status, task.attempt_number) for task in others] == [("succeeded", 1)] * 3


def test_task_in_a_thread_is_interrupted_when_its_time_is_over(carol: User, start_node: StartNode) -> None:
    start_node(workers=1)
    late = submit_task(carol, Submission("diagnostic.sleep", {"seconds": 600}, timeout=1, max_attempts=1)).task
    wait_for_end(late)
    assert (late.status, late.error["code"]) == ("failed", "timed_out")


def test_thread_that_hears_nothing_is_killed_with_its_worker_and_neighbours_go_back_free(
    carol: User, start_node: StartNode
) -> None:
    start_node(workers=1)
    [deaf] = sleeps(carol, 1, 600, in_one_go=True)
    neighbours = sleeps(carol, 3, 600)
    wait_until(running(4), what="all four")
    shorten(neighbours)
    cancel_task(deaf.pk, by=carol)
    wait_for_end(deaf, *neighbours)
    assert deaf.status == "cancelled"
    assert {(task.status, task.attempts_charged, task.attempt_number) for task in neighbours} == {("succeeded", 1, 2)}
    returned = Attempt.objects.filter(task__in=neighbours, number=1)
    assert set(returned.values_list("outcome", "charged")) == {("returned", False)}


def test_neighbours_of_whoever_crashed_a_worker_are_cleared_by_running_alone(
    carol: User, start_node: StartNode
) -> None:
    node = start_node(workers=1)
    tasks = sleeps(carol, 3, 600)
    has_begun = Task.objects.filter(status="running", progress_fraction__isnull=False)
    wait_until(lambda: has_begun.count() == 3, what="all three")
    shorten(tasks)
    psutil.Process(Task.objects.filter(status="running").values_list("worker_pid", flat=True)[0]).send_signal(
        signal.SIGKILL
    )
    wait_until(lambda: Attempt.objects.filter(outcome="returned").count() == 3, what="all three back")
    assert Task.objects.filter(alone=True).count() == 3
    wait_for_end(*tasks)
    assert {(task.status, task.attempts_charged) for task in tasks} == {("succeeded", 1)}
    assert node.leader.is_running()


def test_third_of_those_claimed_together_kills_the_worker_and_is_alone_to_blame(
    carol: User, start_node: StartNode
) -> None:
    echo = Submission("diagnostic.echo", {"message": "x"})
    deadly = Submission("diagnostic.fail", {"mode": "exit"}, max_attempts=5)
    tasks = list(submit_batch(carol, [echo, echo, deadly, echo, echo]).batch.tasks.order_by("id"))
    # As if all were known to be short: they are claimed together.
    Task.objects.update(est_seconds=0.0005)
    start_node(workers=1)
    wait_for_end(*tasks)
    assert [task.status for task in tasks] == ["succeeded", "succeeded", "failed", "succeeded", "succeeded"]
    assert (tasks[2].error["code"], tasks[2].attempts_charged) == ("poison", 3)
    assert [task.attempts_charged for task in (*tasks[:2], *tasks[3:])] == [1, 1, 1, 1]
    # The end is recorded first, and the slot given back by another transaction.
    wait_until(lambda: Lane.objects.get(user=carol).taken == 0, what="the slots")


def test_what_waits_behind_a_task_that_takes_long_is_given_to_another_worker(
    carol: User, start_node: StartNode
) -> None:
    slow = Submission("diagnostic.fail", {"mode": "cpu", "seconds": 600})
    echo = Submission("diagnostic.echo", {"message": "x"})
    tasks = list(submit_batch(carol, [slow, *[echo] * 6]).batch.tasks.order_by("id"))
    Task.objects.update(est_seconds=0.0005)
    start_node(workers=2)
    wait_for_end(*tasks[1:])
    assert {task.status for task in tasks[1:]} == {"succeeded"}
    assert Task.objects.get(pk=tasks[0].pk).status == "running"


def test_stopping_node_gives_threads_their_grace_and_returns_the_rest(carol: User, start_node: StartNode) -> None:
    node = start_node(workers=2, STOP_GRACE_SECONDS="6")
    short, long = sleeps(carol, 2, 3), sleeps(carol, 3, 600)
    wait_until(running(5), what="all five")
    node.stop()
    for task in (*short, *long):
        task.refresh_from_db()
    assert {task.status for task in short} == {"succeeded"}
    assert {(task.status, task.attempts_charged) for task in long} <= {("scheduled", 0), ("held", 0), ("ready", 0)}


def test_throttled_node_runs_one_task_at_a_time(carol: User, start_node: StartNode) -> None:
    node = start_node(workers=2, THROTTLE_MEMORY_PERCENT="1")
    wait_until(lambda: node.row.throttled, what="the throttle")
    tasks = sleeps(carol, 3, 0.5)
    wait_for_end(*tasks)
    spans = sorted((task.started_at, task.finished_at) for task in tasks)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
