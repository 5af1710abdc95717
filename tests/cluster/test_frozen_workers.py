"""A worker that is stopped (SIGSTOP) is replaced whatever it was at; one that is only slow is not."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import User
from tasks.cluster import frozen
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Attempt, Lane, Task

from .conftest import PATIENCE_SECONDS, RunningNode, is_gone, wait_for_end, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]
# Looks often, so that it finds soon who is stopped.
WATCHFUL = {"EXTRA_APPS": "tests.cluster.odd_worker"}


class Odd:
    """A worker that will stop, or dawdle, at a moment: `tests.cluster.odd_worker`."""

    def __init__(self, folder: Path, moment: str, *, seconds: float = 0) -> None:
        self._order = folder / "order"
        self._order.write_text(f"{moment} {seconds}")
        self.environment = WATCHFUL | {"ODD_WORKER": str(self._order)}

    def process(self) -> psutil.Process:
        number = self._order.with_suffix(".pid")
        wait_until(lambda: number.exists() and number.read_text(), what="a worker to get there")
        return psutil.Process(int(number.read_text()))


def the_worker(node: RunningNode) -> psutil.Process:
    [worker] = node.workers()
    return worker


def echo(user: User) -> Task:
    return submit_task(user, Submission("diagnostic.echo", {"message": "x"})).task


def worker_of(task: Task) -> int | None:
    return task.attempts.get(outcome="succeeded").worker_pid


def slot_is_free(user: User) -> bool:
    return not Lane.objects.filter(user=user, taken__gt=0).exists()


def test_worker_stopped_while_idle_is_replaced(alice: User, start_node: StartNode) -> None:
    node = start_node(workers=1, **WATCHFUL)
    worker = the_worker(node)
    wait_for_end(first := echo(alice))
    assert worker_of(first) == worker.pid
    worker.suspend()
    wait_for_end(task := echo(alice))
    assert is_gone(worker)
    assert worker_of(task) == the_worker(node).pid


@pytest.mark.parametrize("moment", ["boot", "claim", "handover"])
def test_worker_stopped_at_any_moment_is_replaced(
    alice: User, start_node: StartNode, tmp_path: Path, moment: str
) -> None:
    odd = Odd(tmp_path, moment)
    node = start_node(workers=1, **odd.environment)
    first = echo(alice)
    stopped = odd.process()
    second = echo(alice)
    wait_for_end(first, second)
    assert is_gone(stopped)
    assert worker_of(second) == the_worker(node).pid
    assert [task.attempts_charged for task in (first, second)] == [1, 1], "to be stopped costs no attempt"
    wait_until(lambda: slot_is_free(alice), what="the slots to be given back")


def test_worker_stopped_while_it_records_an_outcome_is_replaced(alice: User, start_node: StartNode) -> None:
    node = start_node(workers=1, **WATCHFUL)
    worker = the_worker(node)
    with _nothing_recorded():
        first = echo(alice)
        wait_until(_somebody_waits, what="the worker to record the outcome")
        worker.suspend()
    wait_for_end(first, second := echo(alice))
    assert is_gone(worker)
    assert [task.status for task in (first, second)] == ["succeeded", "succeeded"]
    assert Attempt.objects.filter(charged=True).count() == 2
    wait_until(lambda: slot_is_free(alice), what="the slots to be given back")


def test_stopped_worker_does_not_keep_its_node_from_stopping(start_node: StartNode) -> None:
    node = start_node(workers=2, **WATCHFUL)
    node.workers()[0].suspend()
    node.leader.send_signal(signal.SIGTERM)
    node.leader.wait(PATIENCE_SECONDS)
    assert node.row.status == "stopped"


def test_pusher_and_monitor_that_are_stopped_are_replaced(alice: User, start_node: StartNode) -> None:
    node = start_node(workers=1, **WATCHFUL)
    others = node.helpers()
    for process in others:
        process.suspend()
    wait_for_end(echo(alice))
    wait_until(lambda: all(map(is_gone, others)), what="both to be replaced")


def test_worker_that_takes_long_to_boot_is_waited_for(alice: User, start_node: StartNode, tmp_path: Path) -> None:
    """Longer than a stopped one is left: it is slow, and killing it would not make the machine faster."""
    odd = Odd(tmp_path, "boot", seconds=2 * frozen.STOPPED_LOOKS * settings.Q_CLUSTER["guard_cycle"])
    node = start_node(workers=1, **odd.environment)
    slow = odd.process()
    wait_for_end(task := echo(alice))
    assert worker_of(task) == slow.pid
    assert "killed and replaced" not in node.log.read_text()


def test_worker_that_is_stopped_and_goes_on_stays(alice: User, start_node: StartNode) -> None:
    """As by somebody who looks at it; and a machine that stutters looks no worse."""
    node = start_node(workers=1)
    worker = the_worker(node)
    for _ in range(3):
        worker.suspend()
        time.sleep(frozen.STOPPED_LOOKS * frozen.LOOK_SECONDS / 2)
        worker.resume()
        time.sleep(2 * frozen.LOOK_SECONDS)
    wait_for_end(task := echo(alice))
    assert worker_of(task) == worker.pid


def test_worker_stopped_while_its_handler_runs_is_left_to_the_time_limit(alice: User, start_node: StartNode) -> None:
    """It is charged: a handler that stops its own process would come back for ever."""
    node = start_node(workers=1, WORKER_THREADS="0", **WATCHFUL)
    task = submit_task(alice, Submission("diagnostic.sleep", {"seconds": 60}, timeout=5, max_attempts=1)).task
    wait_until(lambda: Task.objects.get(pk=task.pk).status == "running", what="the task to run")
    worker = the_worker(node)
    worker.suspend()
    wait_for_end(task)
    assert (task.status, task.attempts_charged) == ("failed", 1)
    assert (task.error or {})["code"] == "timed_out"
    assert is_gone(worker)


@contextmanager
def _nothing_recorded() -> Iterator[None]:
    """Let nobody write an attempt."""
    mine = connection.copy()
    try:
        with mine.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE attempt IN SHARE MODE")
            yield
            cursor.execute("COMMIT")
    finally:
        mine.close()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE relation = 'attempt'::regclass AND NOT granted")
        waiting: int = cursor.fetchone()[0]
    return waiting > 0
