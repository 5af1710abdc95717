"""What was promised durably stays promised when the second transaction cannot be had at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from tasks import sql
from tasks.lifecycle import fill, sweep
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.retry import retry_task
from tasks.models import Lane, Task, Usage

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Submit = Callable[..., Task]


@contextmanager
def somebody_holds_the_lanes() -> Iterator[None]:
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT FROM lane FOR UPDATE")
            yield
    finally:
        other.close()


def test_submission_is_accepted_while_somebody_holds_the_users_lane(alice: User, submit: Submit) -> None:
    submit(alice)
    with somebody_holds_the_lanes():
        task = submit(alice)
    assert task.status == "held"
    sweep.fill_idle()
    task.refresh_from_db()
    assert task.status == "ready"


def test_cancel_is_accepted_while_somebody_holds_the_users_lane(alice: User, submit: Submit) -> None:
    task = submit(alice)
    with somebody_holds_the_lanes():
        assert cancel_task(task.pk, by=alice, owner=alice).cancel_requested_at is not None


def test_retry_asked_for_twice_at_once_is_counted_once(alice: User, submit: Submit) -> None:
    task = submit(alice)
    cancel_task(task.pk, by=alice)

    def retry() -> None:
        retry_task(task.pk, by=alice, owner=alice)
        connection.close()

    threads = [threading.Thread(target=retry) for _ in range(2)]
    with transaction.atomic():
        Usage.objects.select_for_update().get(user=alice)
        for thread in threads:
            thread.start()
        _wait_until_both_wait()
    for thread in threads:
        thread.join(10)
    assert Task.objects.get(pk=task.pk).status == "ready"
    assert Usage.objects.get(user=alice).day_count == 2
    assert Lane.objects.get(user=alice).taken == 1


def test_lane_of_whoever_falls_silent_under_its_lock_comes_free(alice: User, submit: Submit) -> None:
    """As a frozen node does: the server ends its transaction. It only times a client that has sent a Sync."""
    submit(alice)
    lane = Lane.objects.get(user=alice)
    other = connection.copy()
    given: list[bool] = []

    def settle_in_silence() -> None:
        with fill._pipelined_lanes([lane.pk]) as lanes, other.cursor() as cursor:
            sql.run("settle", {"tokens": [], "lanes": lanes})
            cursor.execute("SET lock_timeout = '5s'; SELECT FROM lane FOR UPDATE")
            given.append(True)
            sql.run("fill", {"lanes": lanes})

    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '200ms'")
    try:
        with pytest.raises(DatabaseError):
            settle_in_silence()
    finally:
        other.close()
        connection.close()
    assert given


def _wait_until_both_wait() -> None:
    for _ in range(2000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] == 2:
                return
            cursor.execute("SELECT pg_sleep(0.005)")
    raise AssertionError("the retries did not wait for the usage row")
