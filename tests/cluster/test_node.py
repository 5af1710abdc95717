"""A real node: runs, retries, cancels, times out, stops; and is no way in for a forged message."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pytest
from django.utils import timezone
from django_q import core_signing
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.models import Task as DjangoQTask

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.pause import drain_node, pause_queue, resume_queue
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Lane, Settlement, Task

from .conftest import PATIENCE_SECONDS, RunningNode, is_gone, wait_for_end, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]
# A returned task is due at once; the next duty, perhaps this node's last one, moves it into its lane.
BACK_IN_LINE = {"scheduled", "held", "ready"}


def submit(user: User, type_: str, **data: object) -> Task:
    options = {name: data.pop(name) for name in ("timeout", "max_attempts", "priority") if name in data}
    return submit_task(user, Submission(type_, data, **options)).task  # type: ignore[arg-type]


def test_node_runs_a_task_and_records_it_once(alice: User, start_node: StartNode) -> None:
    start_node()
    task = submit(alice, "diagnostic.echo", message="grüße")
    wait_for_end(task)
    assert task.status == "succeeded"
    assert task.content.result["text"] == "grüße"
    assert [attempt.outcome for attempt in task.attempts.all()] == ["succeeded"]
    wait_until(lambda: Lane.objects.get(user=alice).taken == 0, what="the slot")
    assert not Settlement.objects.exists()
    assert not DjangoQTask.objects.exists()


def test_failing_task_is_tried_again_until_it_succeeds(alice: User, start_node: StartNode) -> None:
    start_node()
    task = submit(alice, "diagnostic.fail", mode="raise", times=1)
    wait_for_end(task)
    assert task.status == "succeeded"
    assert [attempt.outcome for attempt in task.attempts.all()] == ["failed", "succeeded"]


def test_task_that_gives_up_is_not_tried_again(alice: User, start_node: StartNode) -> None:
    start_node()
    task = submit(alice, "diagnostic.fail", mode="give_up")
    wait_for_end(task)
    assert (task.status, task.error["code"], task.attempts.count()) == ("failed", "gave_up", 1)


def test_running_task_is_cancelled(alice: User, start_node: StartNode) -> None:
    start_node()
    task = submit(alice, "diagnostic.sleep", seconds=600)
    wait_until(lambda: Task.objects.get(pk=task.pk).status == "running")
    cancel_task(task.pk, by=alice, owner=alice)
    wait_for_end(task)
    assert task.status == "cancelled"
    wait_until(lambda: Lane.objects.get(user=alice).taken == 0, what="the slot")


def test_task_that_ignores_signals_is_killed_and_cancelled(alice: User, start_node: StartNode) -> None:
    start_node()
    task = submit(alice, "diagnostic.fail", mode="ignore_signals", seconds=600)
    wait_until(lambda: Task.objects.get(pk=task.pk).status == "running")
    cancel_task(task.pk, by=alice, owner=alice)
    wait_for_end(task)
    assert task.status == "cancelled"


def test_attempt_past_its_timeout_is_interrupted(alice: User, start_node: StartNode) -> None:
    start_node()
    task = submit(alice, "diagnostic.sleep", seconds=600, timeout=1, max_attempts=1)
    wait_for_end(task)
    assert (task.status, task.error["code"]) == ("failed", "timed_out")


def test_task_that_kills_its_worker_three_times_is_poison(alice: User, start_node: StartNode) -> None:
    start_node()
    task = submit(alice, "diagnostic.fail", mode="exit", max_attempts=10)
    wait_for_end(task)
    assert (task.status, task.error["code"]) == ("failed", "poison")
    assert [attempt.outcome for attempt in task.attempts.all()] == ["died"] * 3
    after = submit(alice, "diagnostic.echo", message="still here")
    wait_for_end(after)
    assert after.status == "succeeded"


def test_stop_returns_running_tasks_to_their_lanes_free_of_charge(alice: User, start_node: StartNode) -> None:
    node = start_node()
    task = submit(alice, "diagnostic.sleep", seconds=600)
    wait_until(lambda: Task.objects.get(pk=task.pk).status == "running")
    node.stop()
    task.refresh_from_db()
    assert task.status in {"scheduled", "ready"}
    assert task.attempts_charged == 0
    assert node.row.status == "stopped"


def test_paused_queue_starts_nothing_until_it_is_opened(alice: User, olga: User, start_node: StartNode) -> None:
    start_node()
    pause_queue("diagnostics", by=olga, reason="test")
    task = submit(alice, "diagnostic.echo", message="x")
    time.sleep(1)
    task.refresh_from_db()
    assert task.status == "held"
    resume_queue("diagnostics", by=olga)
    wait_for_end(task)
    assert task.status == "succeeded"


def test_draining_node_finishes_its_work_and_takes_nothing_new(alice: User, olga: User, start_node: StartNode) -> None:
    node = start_node()
    running = submit(alice, "diagnostic.sleep", seconds=3)
    wait_until(lambda: Task.objects.get(pk=running.pk).status == "running")
    drain_node(node.row.pk, by=olga)
    later = submit(alice, "diagnostic.echo", message="x")
    wait_for_end(running)
    assert running.status == "succeeded"
    later.refresh_from_db()
    assert later.status == "ready"


def test_user_never_has_more_running_than_slots_and_another_user_does_not_wait(
    alice: User, bob: User, start_node: StartNode
) -> None:
    for _ in range(24):
        submit(alice, "diagnostic.sleep", seconds=0.3)
    bobs = submit(bob, "diagnostic.echo", message="me too")
    start_node(workers=5)
    wait_for_end(bobs, *(alices := list(Task.objects.of(alice))))
    changes = [(task.started_at, 1) for task in alices] + [(task.finished_at, -1) for task in alices]
    assert max(accumulate(change for _, change in sorted(changes))) == 4
    before_bob = sum(task.started_at < bobs.started_at for task in alices)
    assert before_bob <= 8, "bob waited behind alice"


class Planted:
    """Unpickling one of these leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.mark}",)


def test_forged_pickle_in_the_queue_table_runs_nothing(alice: User, start_node: StartNode, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    class Pickles:
        dumps = staticmethod(pickle.dumps)

    forged = core_signing.dumps(Planted(mark), key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=Pickles)
    OrmQ.objects.create(key=Conf.CLUSTER_NAME, payload=forged, lock=timezone.now())
    start_node()
    task = submit(alice, "diagnostic.echo", message="x")
    wait_for_end(task)
    assert task.status == "succeeded"
    assert not mark.exists()
    assert OrmQ.objects.count() == 1


def test_signal_of_the_operating_system_stops_the_node_cleanly(start_node: StartNode) -> None:
    node = start_node()
    processes = node.processes
    os.kill(node.leader.pid, signal.SIGINT)
    node.leader.wait(PATIENCE_SECONDS)
    assert all(map(is_gone, processes))


def test_sigterm_to_the_whole_group_stops_the_node_cleanly(alice: User, start_node: StartNode) -> None:
    node = start_node()
    task = submit(alice, "diagnostic.sleep", seconds=600)
    wait_until(lambda: Task.objects.get(pk=task.pk).status == "running")
    os.killpg(node.leader.pid, signal.SIGTERM)
    node.leader.wait(PATIENCE_SECONDS)
    assert node.row.status == "stopped"
    task.refresh_from_db()
    assert task.status in BACK_IN_LINE
