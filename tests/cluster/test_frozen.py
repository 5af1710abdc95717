"""A frozen node: nobody waits for the duties that it was about to do, nor for a lane that it holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Lane, Node, Settlement, Task

from .conftest import RunningNode, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]
AT_ONCE_SECONDS = 6.0


@contextmanager
def frozen(node: RunningNode) -> Iterator[None]:
    processes = node.processes
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


def test_duties_of_a_frozen_node_are_done_by_another_at_once(alice: User, start_node: StartNode) -> None:
    first = start_node()
    second = start_node()
    for _ in range(3):
        # Whatever the first was about to do when it froze, in whichever part of a second.
        with frozen(first):
            task = due_task(alice)
            began = time.monotonic()
            wait_until(has_ended(task), seconds=45, what="the other node to do the duty")
            if time.monotonic() - began > AT_ONCE_SECONDS:
                # It froze inside a transaction under alice's lane lock, which the server ends after half a minute.
                return
        time.sleep(0.3)
    assert Node.objects.get(pk=first.row.pk).status == "alive", "it was away for too short a time to be lost"
    assert second.row.status == "alive"


def test_lane_that_a_frozen_node_holds_comes_free_and_others_go_on(
    alice: User, bob: User, start_node: StartNode
) -> None:
    """The node freezes inside a transaction under alice's lane lock: its upkeep was settling there."""
    node = start_node()
    alices = submit_task(alice, Submission("diagnostic.echo", {"message": "x"})).task
    wait_until(has_ended(alices), what="the first task")
    lane = Lane.objects.get(user=alice)
    with _freeze_under_the_lock_of(lane, node):
        other = start_node()
        bobs = submit_task(bob, Submission("diagnostic.echo", {"message": "x"})).task
        wait_until(has_ended(bobs), seconds=10, what="bob's task")
        assert other.row.status == "alive"
        if "CHAOS_SECONDS" in os.environ:
            # The server ends the transaction of a client that is silent for half a minute; then alice's lane is free.
            # (tests/lifecycle/test_second_transaction.py shows the same in a second.)
            wait_until(lambda: not Settlement.objects.exists(), seconds=60, what="alice's lane")


@contextmanager
def _freeze_under_the_lock_of(lane: Lane, node: RunningNode) -> Iterator[None]:
    mine = connection.copy()
    try:
        with mine.cursor() as cursor:
            cursor.execute("BEGIN; SELECT FROM lane WHERE id = %s FOR UPDATE", [lane.pk])
            Settlement.objects.create(token=uuid4(), task_id=uuid4(), lane=lane, charge_seconds=0, slots=0)
            Settlement.objects.update(created_at=Now() - timedelta(seconds=9))
            wait_until(_somebody_waits, what="the node's upkeep to want the lane")
            processes = node.processes
            for process in processes:
                process.suspend()
            # Now its server process is given the lane, and nobody tells it to go on.
            cursor.execute("COMMIT")
        yield
    finally:
        mine.close()
        for process in processes:
            process.resume()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        waiting: int = cursor.fetchone()[0]
    return waiting > 0
