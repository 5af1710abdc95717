"""A frozen node: nobody waits for the duties that it was about to do, nor for a lane that it holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks.cluster.observer import LOST_AFTER_SECONDS
from tasks.lifecycle.per_lane import free_lanes
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Lane, Node, Settlement, Task

from .conftest import RunningNode, database_now, somebody_waits, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]
# After so long the server ends the transaction of a client that says nothing, and everything would go on by itself.
SILENT_SECONDS = 30.0
# Time for what takes the server half a minute.
LONG_ENOUGH_SECONDS = 90.0


@contextmanager
def frozen(node: RunningNode, *, when: Callable[[], AbstractContextManager[None]] = nullcontext) -> Iterator[None]:
    """Freeze a node, at a moment of which `when` sees the beginning and the end."""
    processes = node.processes
    with when():
        for process in processes:
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def due_task(user: User) -> Task:
    """A task whose time comes in a moment: only the upkeep can put it into its lane."""
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    return submit_task(user, Submission("diagnostic.echo", {"message": "x"}, run_after=soon)).task


def has_ended(task: Task) -> Callable[[], bool]:
    return lambda: Task.objects.get(pk=task.pk).done


def test_duties_of_a_frozen_node_are_done_by_another_at_once(
    make_user: Callable[..., User], start_node: StartNode
) -> None:
    first = start_node()
    second = start_node()
    for number in range(3):
        # Whatever the first was about to do when it froze, in whichever part of a second, it cannot hold the lane of
        # somebody new.
        with frozen(first):
            task = due_task(make_user(f"user{number}"))
            wait_until(has_ended(task), seconds=LOST_AFTER_SECONDS, what="the other node to do the duty")
        time.sleep(0.3)
    assert Node.objects.get(pk=first.row.pk).status == "alive", "it was away for too short a time to be lost"
    assert second.row.status == "alive"


def test_node_that_freezes_with_a_locked_lane_is_lost_in_time_and_others_go_on(
    alice: User, bob: User, start_node: StartNode
) -> None:
    """The node freezes inside a transaction under alice's lane lock: its upkeep was settling there."""
    node = start_node()
    alices = submit_task(alice, Submission("diagnostic.echo", {"message": "x"})).task
    wait_until(has_ended(alices), what="the first task")
    lost = submit_task(bob, Submission("diagnostic.sleep", {"seconds": 120})).task
    wait_until(lambda: Task.objects.get(pk=lost.pk).status == "running", what="bob's task, on the node that freezes")
    other = start_node()
    with _freeze_under_the_lock_of(Lane.objects.get(user=alice), node) as frozen_at:
        bobs = due_task(bob)
        wait_until(has_ended(bobs), seconds=SILENT_SECONDS, what="bob's task")
        second = Task.objects.filter(pk=lost.pk, status="running", node=other.row.pk)
        wait_until(second.exists, what="the task of the lost node to run again")
        assert second.get().started_at - frozen_at < timedelta(seconds=SILENT_SECONDS)
        if float(os.environ.get("CHAOS_SECONDS", "0")) >= LONG_ENOUGH_SECONDS:
            # The server ends the transaction of a client that is silent for half a minute; then alice's lane is free.
            # (tests/lifecycle/test_second_transaction.py shows the same in a second.)
            wait_until(lambda: not Settlement.objects.exists(), seconds=60, what="alice's lane")


@contextmanager
def _freeze_under_the_lock_of(lane: Lane, node: RunningNode) -> Iterator[datetime]:
    for _ in range(20):
        with frozen(node, when=lambda: _keep_waiting_for(lane)):
            if _is_held(lane):
                yield database_now()
                return
    raise AssertionError("the upkeep gave up waiting for the lane each time, just before its node froze")


@contextmanager
def _keep_waiting_for(lane: Lane) -> Iterator[None]:
    """Hold a lane until a node's upkeep wants it; at the end it is given the lane."""
    mine = connection.copy()
    try:
        with mine.cursor() as cursor:
            cursor.execute("BEGIN; SELECT FROM lane WHERE id = %s FOR UPDATE", [lane.pk])
            Settlement.objects.create(token=uuid4(), task_id=uuid4(), lane=lane, charge_seconds=0, slots=0)
            Settlement.objects.update(created_at=Now() - timedelta(seconds=9))
            wait_until(somebody_waits, what="the upkeep to want the lane")
            yield
            # Now its server process is given the lane, and nobody tells it to go on.
            cursor.execute("COMMIT")
    finally:
        mine.close()


def _is_held(lane: Lane) -> bool:
    return not free_lanes([lane.pk])
