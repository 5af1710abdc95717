"""A database that hangs or stops, and a node that takes its time to stop: the heart goes on, nothing waits for ever."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from accounts.models import User
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Lane, Task

from .conftest import PATIENCE_SECONDS, RunningNode, somebody_waits, wait_for_end, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]


def submit(user: User, type_: str, data: dict[str, Any], **options: Any) -> Task:
    return submit_task(user, Submission(type_, data, **options)).task


def wait_for_start(task: Task) -> None:
    wait_until(lambda: Task.objects.get(pk=task.pk).status == "running", what="the start")


def test_heart_beats_while_a_stopping_node_waits_for_its_tasks(alice: User, start_node: StartNode) -> None:
    node = start_node(STOP_GRACE_SECONDS="60")
    task = submit(alice, "diagnostic.sleep", {"seconds": 8})
    wait_for_start(task)
    node.leader.send_signal(signal.SIGTERM)
    wait_until(lambda: "node stops" in node.log.read_text(), what="the stop")
    # Standing still for 15 s it would be declared lost, and its task run a second time, beside the first.
    node.wait_for_beats(2)
    node.leader.wait(PATIENCE_SECONDS)
    task.refresh_from_db()
    assert task.status == "succeeded"
    assert node.row.status == "stopped"


def test_task_killed_while_its_node_stops_is_taken_back_free_of_charge(alice: User, start_node: StartNode) -> None:
    node = start_node()
    task = submit(alice, "diagnostic.fail", {"mode": "ignore_signals", "seconds": 60})
    wait_for_start(task)
    node.stop()
    task.refresh_from_db()
    assert task.status in {"scheduled", "ready"}
    assert task.attempts_charged == 0
    assert [attempt.outcome for attempt in task.attempts.all()] == ["returned"]


def _owe_a_settlement() -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "INSERT INTO settlement (token, task_id, lane_id, charge_seconds, created_at)"
                " SELECT gen_random_uuid(), gen_random_uuid(), id, 0, now() - interval '9 s' FROM lane"
            )
    finally:
        other.close()


def test_heart_beats_while_the_upkeep_waits_for_a_lock(make_user: Callable[..., User], start_node: StartNode) -> None:
    carol = make_user("carol", slots=1)
    node = start_node()
    submit(carol, "diagnostic.sleep", {"seconds": 600})
    submit(carol, "diagnostic.echo", {"message": "held"})
    with transaction.atomic():
        # Work for the upkeep, on a lane that somebody holds.
        Lane.objects.filter(user=carol).select_for_update().get()
        _owe_a_settlement()
        wait_until(somebody_waits, what="the upkeep to want the lane")
        node.wait_for_beats(2)


@contextmanager
def no_database() -> Iterator[None]:
    """Cut every connection to the test's database and let no new one in."""
    database = connection.settings_dict
    name = connection.ops.quote_name(database["NAME"])
    place = {option: database[option.upper()] for option in ("host", "port", "user", "password")}
    connection.close()
    with psycopg.connect(**place, dbname="postgres", autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            other.execute(cut, [database["NAME"]])
            yield
        finally:
            other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_work_that_ends_while_the_database_is_away_is_recorded_once_although_its_deadline_passes(
    alice: User, start_node: StartNode
) -> None:
    start_node()
    task = submit(alice, "diagnostic.fail", {"mode": "cpu", "seconds": 1}, timeout=3)
    wait_for_start(task)
    with no_database():
        time.sleep(11)
    wait_for_end(task)
    assert [attempt.outcome for attempt in task.attempts.all()] == ["succeeded"]
    after = submit(alice, "diagnostic.echo", {"message": "the node goes on by itself"})
    wait_for_end(after)
    assert after.status == "succeeded"


def test_loops_of_a_node_do_not_fill_the_log_while_the_database_is_away(start_node: StartNode) -> None:
    node = start_node()
    with no_database():
        time.sleep(8)
    lines = [line.split("  ", 1)[1] for line in node.log.read_text().splitlines() if "tried again" in line]
    # A loop tries four times a second. The first is written, then a count, and what comes after five seconds.
    assert lines
    assert max(lines.count(line) for line in lines) <= 3, lines


@contextmanager
def frozen_database() -> Iterator[None]:
    """Stop the server processes that serve the node: nobody answers, and no connection breaks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE application_name = 'portal-qcluster' AND datname = current_database()"
        )
        pids = [pid for (pid,) in cursor.fetchall()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_node_stops_although_the_database_does_not_answer(alice: User, start_node: StartNode) -> None:
    node = start_node()
    task = submit(alice, "diagnostic.sleep", {"seconds": 600})
    wait_for_start(task)
    with frozen_database():
        time.sleep(1)
        node.leader.send_signal(signal.SIGTERM)
        node.leader.wait(PATIENCE_SECONDS)
