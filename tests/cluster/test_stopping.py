"""A node that stops under load starts nothing more, and what it leaves behind is whole."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import psutil
import pytest
from django.db import connection

from accounts.models import User
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import Attempt, Task
from tests.chaos import laws

from .conftest import PATIENCE_SECONDS, RunningNode, is_gone, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]
# django-q2's sentinel looks every quarter of a second; the rest is for a machine that does other things, too. The load
# lasts longer.
NOTICED_WITHIN_SECONDS = 15.0


@pytest.fixture
def carol(make_user: Callable[..., User]) -> User:
    return make_user("carol", slots=64, per_minute=None)


def flood(user: User, count: int, seconds: float) -> set[UUID]:
    work = Submission("diagnostic.fail", {"mode": "cpu", "seconds": seconds})
    return {task.pk for task in submit_batch(user, [work] * count).batch.tasks.all()}


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def test_node_that_is_told_to_stop_under_load_starts_nothing_more(carol: User, start_node: StartNode) -> None:
    node = start_node(workers=3, THROTTLE_CPU_PERCENT="0")
    accepted = flood(carol, 400, 0.5)
    wait_until(Attempt.objects.exists, what="the load")
    told_at = now()
    node.leader.send_signal(signal.SIGTERM)
    node.leader.wait(PATIENCE_SECONDS)
    late = Attempt.objects.filter(started_at__gt=told_at).values_list("started_at", flat=True)
    assert all((started - told_at).total_seconds() < NOTICED_WITHIN_SECONDS for started in late)
    assert not Task.objects.filter(status="running").exists()
    assert Task.objects.unfinished().exists(), "the load was over before the stop"
    laws.check(laws.take_picture(), accepted=accepted)
    assert set(Attempt.objects.filter(outcome="returned").values_list("charged", flat=True)) <= {False}


def test_ticket_that_is_taken_after_the_stop_starts_nothing(carol: User, start_node: StartNode) -> None:
    """Two tickets wait in the pipe for workers that look up only when the node is stopping already."""
    node = start_node(workers=2)
    workers = node.workers()
    _monitor, pusher = node.helpers()
    time.sleep(0.5)  # until they wait for a ticket
    for worker in workers:
        worker.suspend()
    accepted = flood(carol, 10, 0.01)
    time.sleep(1.5)  # the pusher polls twice a second at the latest
    node.leader.send_signal(signal.SIGTERM)
    wait_until(lambda: is_gone(pusher), what="the node to stop, its pusher first")
    for worker in workers:
        worker.resume()
    node.leader.wait(PATIENCE_SECONDS)
    assert list(Attempt.objects.values_list("outcome", "worker_pid")) == []
    assert Task.objects.filter(pk__in=accepted, status="ready", attempt_number=0).count() == 10


def test_node_that_is_told_to_stop_again_and_again_stops(start_node: StartNode) -> None:
    """As by an impatient operator: each signal may come while the one before is being obeyed."""
    node = start_node()
    for number in range(2000):
        with suppress(psutil.NoSuchProcess):
            node.leader.send_signal((signal.SIGTERM, signal.SIGINT)[number % 2])
    node.leader.wait(PATIENCE_SECONDS)
    assert node.row.status == "stopped"
