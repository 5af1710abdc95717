"""A worker that is killed, or out of time, in the middle of long work: the next attempt does only the rest."""

from __future__ import annotations

import signal
from collections.abc import Callable

import psutil
import pytest

from accounts.models import User
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Attempt, KeptPiece, Task

from .conftest import RunningNode, wait_for_end, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

STEPS = 12


def test_attempts_after_a_kill_and_a_timeout_do_only_what_is_left(
    alice: User, start_node: Callable[..., RunningNode]
) -> None:
    # Of a type that only the node has.
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "go"}, timeout=2, max_attempts=10)).task
    Task.objects.filter(pk=task.pk).update(type="diagnostic.walk")
    start_node(workers=1, EXTRA_APPS="tests.cluster.walker")
    pieces = KeptPiece.objects.filter(task=task)
    wait_until(lambda: pieces.count() >= 2, what="two steps")
    psutil.Process(Task.objects.get(pk=task.pk).worker_pid or 0).send_signal(signal.SIGKILL)
    wait_for_end(task)

    assert task.status == "succeeded", task.error
    outcomes = set(Attempt.objects.filter(task=task).values_list("outcome", flat=True))
    assert {"died", "succeeded"} <= outcomes <= {"died", "timed_out", "succeeded"}
    # Each once, in order, by several attempts: nobody did again what was kept.
    attempts = [attempt for attempt, _, _ in task.content.result["steps"]]
    assert [number for _, number, _ in task.content.result["steps"]] == list(range(STEPS))
    assert attempts == sorted(attempts)
    assert attempts[0] == 1 < attempts[-1]
