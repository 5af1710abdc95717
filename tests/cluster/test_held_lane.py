"""A lane that somebody keeps locked: the tasks of all others go on, after a death and at their time."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import psutil
import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Lane, Settlement, Task

from .conftest import RunningNode, database_now, wait_for_end, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

# Sooner than whoever waits for a lock gives up (`lock_timeout`, 20 s).
IN_TIME = timedelta(seconds=15)


@contextmanager
def held(lane: Lane) -> Iterator[None]:
    """A connection that keeps the lane locked and says nothing more."""
    silent = connection.copy()
    try:
        with silent.cursor() as cursor:
            cursor.execute("BEGIN; SELECT FROM lane WHERE id = %s FOR UPDATE", [lane.pk])
            yield
    finally:
        silent.close()


def test_killed_worker_and_scheduled_tasks_do_not_wait_for_somebody_elses_lane(
    alice: User, bob: User, start_node: Callable[..., RunningNode]
) -> None:
    start_node(workers=2)
    sleep = Submission("diagnostic.sleep", {"seconds": 600})
    alices, bobs = submit_task(alice, sleep).task, submit_task(bob, sleep).task
    wait_until(lambda: Task.objects.filter(status="running").count() == 2, what="both tasks")
    due_at = database_now() + timedelta(seconds=2)
    for user in (alice, bob):
        scheduled = submit_task(user, Submission("diagnostic.echo", {"message": "x"}, run_after=due_at)).task
    with held(Lane.objects.get(user=alice)):
        # What the upkeep has to do in the lane that it cannot have.
        Settlement.objects.create(
            token=uuid4(), task_id=uuid4(), lane_id=alices.lane_id, charge_seconds=0, slots=0,
            created_at=Now() - timedelta(seconds=9),
        )  # fmt: skip
        killed_at = database_now()
        for pid in set(Task.objects.filter(status="running").values_list("worker_pid", flat=True)):
            psutil.Process(pid).send_signal(signal.SIGKILL)
        again = Task.objects.filter(pk=bobs.pk, status="running", attempt_number=2)
        wait_until(again.exists, what="bob's second attempt")
        assert again.get().started_at - killed_at < IN_TIME
        wait_for_end(scheduled)
        assert scheduled.status == "succeeded"
        assert scheduled.started_at - due_at < IN_TIME
        # Its worker may have been found dead later; the task goes no further, as its lane is held.
        wait_until(lambda: Task.objects.get(pk=alices.pk).status == "scheduled", what="alice's task to be taken back")
    wait_until(lambda: Task.objects.filter(pk=alices.pk, status="running").exists(), what="alice's lane to be served")
