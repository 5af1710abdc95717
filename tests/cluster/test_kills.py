"""`kill -9` of every kind of process, under load: nothing is lost, nothing is recorded twice."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import psutil
import pytest

from accounts.models import User
from tasks.cluster.observer import LOST_AFTER_SECONDS
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import Attempt, Lane, Node, Task

from .conftest import PATIENCE_SECONDS, RunningNode, database_now, shorten, wait_for_end, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]


def sleeps(user: User, count: int, seconds: float) -> list[Task]:
    batch = submit_batch(user, [Submission("diagnostic.sleep", {"seconds": seconds}) for _ in range(count)]).batch
    return list(batch.tasks.all())


def busy_pids(node: RunningNode) -> set[int]:
    running = Task.objects.filter(node=node.row.pk, status="running")
    return set(running.values_list("worker_pid", flat=True))


def idle_worker(node: RunningNode) -> psutil.Process:
    busy = busy_pids(node)
    return next(worker for worker in node.workers() if worker.pid not in busy)


def test_everything_is_killed_once_and_all_tasks_succeed_recorded_once(
    make_user: Callable[..., User], start_node: StartNode
) -> None:
    carol = make_user("carol", slots=20)
    first, second = start_node(workers=3), start_node(workers=3)

    idle_worker(first).send_signal(signal.SIGKILL)
    # Two rounds of what the slots allow. What begins now would sleep until it is killed, in the middle of its work:
    # what is about to finish would be recorded as succeeded.
    tasks = sleeps(carol, 40, 600)
    wait_until(lambda: busy_pids(first) and busy_pids(second), what="busy workers")
    victim = busy_pids(first).pop()
    shorten(tasks)
    third = start_node(workers=3)

    psutil.Process(victim).send_signal(signal.SIGKILL)
    # Alone in its worker it has died; with others in other threads nobody knows who did it, and all went back.
    gone = Attempt.objects.filter(outcome__in=["died", "returned"])
    wait_until(gone.exists, what="the dead worker's tasks to be taken back")

    first.sentinel.send_signal(signal.SIGKILL)
    wait_until(
        lambda: not first.leader.is_running() or not first.leader.children(recursive=True), what="orphans to die"
    )
    assert busy_pids(second)
    second.kill()

    wait_for_end(*tasks)
    assert Counter(task.status for task in tasks) == {"succeeded": 40}
    once = Attempt.objects.filter(outcome="succeeded", task__in=tasks).values_list("task_id", flat=True)
    assert len(once) == len(set(once)) == 40
    # Fifteen seconds after its last heartbeat: later than the end of all tasks, where it had none left.
    others = Node.objects.exclude(pk=third.row.pk)
    wait_until(lambda: {node.status for node in others.all()} == {"lost"}, what="both nodes to be declared lost")
    wait_until(lambda: Lane.objects.get(user=carol).taken == 0, what="the slots")


@pytest.mark.parametrize("victim", ["pusher", "monitor"])
def test_killed_helper_process_is_replaced_and_work_goes_on(
    victim: str, make_user: Callable[..., User], start_node: StartNode
) -> None:
    carol = make_user("carol", slots=4)
    node = start_node()
    tasks = sleeps(carol, 6, 0.5)
    monitor, pusher = node.helpers()
    (monitor if victim == "monitor" else pusher).send_signal(signal.SIGKILL)
    wait_for_end(*tasks)
    assert {task.status for task in tasks} == {"succeeded"}


def test_task_of_a_killed_worker_runs_again_in_another_of_its_node(alice: User, start_node: StartNode) -> None:
    node = start_node()
    [task] = sleeps(alice, 1, 600)
    wait_until(lambda: busy_pids(node))
    killed = busy_pids(node).pop()
    psutil.Process(killed).send_signal(signal.SIGKILL)
    wait_until(lambda: busy_pids(node) - {killed}, what="the second attempt")
    assert [attempt.outcome for attempt in task.attempts.all()] == ["died"]


def test_task_of_a_killed_node_runs_again_when_it_is_lost(alice: User, start_node: StartNode) -> None:
    first = start_node()
    [task] = sleeps(alice, 1, 600)
    wait_until(lambda: busy_pids(first), what="the first attempt")
    other = start_node()
    killed_at = database_now()
    first.kill()
    wait_until(lambda: busy_pids(other), what="the second attempt")
    task.refresh_from_db()
    assert (task.attempt_number, task.attempts_charged) == (2, 1)
    assert task.started_at - killed_at < 2 * timedelta(seconds=LOST_AFTER_SECONDS)


def test_orphans_do_not_outlive_a_killed_sentinel(start_node: StartNode) -> None:
    node = start_node()
    processes = node.processes
    node.sentinel.send_signal(signal.SIGKILL)
    _gone, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_frozen_node_that_wakes_up_after_it_was_declared_lost_records_nothing(
    alice: User, start_node: StartNode
) -> None:
    frozen = start_node()
    [task] = sleeps(alice, 1, 3)
    wait_until(lambda: busy_pids(frozen))
    for process in frozen.processes:
        process.suspend()
    other = start_node()
    wait_until(lambda: Node.objects.get(pk=frozen.row.pk).status == "lost", what="the node to be lost")
    wait_until(lambda: busy_pids(other) or Task.objects.get(pk=task.pk).done, what="the second attempt")
    for process in frozen.processes:
        process.resume()
    wait_for_end(task)
    assert task.status == "succeeded"
    assert [attempt.outcome for attempt in task.attempts.all()] == ["lost", "succeeded"]
    # Having been declared lost, it ends itself.
    wait_until(lambda: not frozen.leader.is_running() or frozen.leader.status() == "zombie", what="its end")
