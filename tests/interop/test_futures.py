"""`TaskPoolExecutor`: what programs do with an executor works with tasks, on a real node."""

from __future__ import annotations

import concurrent.futures
import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

from accounts.models import User
from tasks import errors
from tasks.interop.futures import FIRST_COMPLETED, CancelledError, TaskPoolExecutor, as_completed, wait
from tasks.lifecycle.cancel import cancel_task
from tasks.models import Batch, Task
from tests.cluster.conftest import PATIENCE_SECONDS, RunningNode, wait_until
from tests.interop import functions

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]


@pytest.mark.usefixtures("node")
def test_calls_run_elsewhere_and_come_back_as_they_complete() -> None:
    with TaskPoolExecutor() as pool:
        futures: dict[Future[int], int] = {pool.submit(functions.square, number): number for number in range(10)}
        found = {futures[future]: future.result() for future in as_completed(futures, timeout=PATIENCE_SECONDS)}
    assert found == {number: number * number for number in range(10)}


@pytest.mark.usefixtures("node")
def test_wait_and_the_standard_librarys_own_work_with_these_futures() -> None:
    with TaskPoolExecutor() as pool:
        quick, slow = pool.submit(functions.pid_after, 0), pool.submit(functions.pid_after, seconds=5)
        done, rest = wait([quick, slow], return_when=FIRST_COMPLETED, timeout=PATIENCE_SECONDS)
        assert (done, rest) == ({quick}, {slow})
        wait_until(slow.running, what="the slow one")
        assert not concurrent.futures.wait([quick, slow], timeout=PATIENCE_SECONDS).not_done
        called: list[Any] = []
        quick.add_done_callback(called.append)
        assert called == [quick]
        assert not slow.running()


@pytest.mark.usefixtures("node")
def test_futures_complete_within_a_fraction_of_the_polling_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.interop.watcher.LOOK_SECONDS", 3600.0)
    with TaskPoolExecutor() as pool:
        for number in range(20):
            assert pool.submit(functions.square, number).result(timeout=PATIENCE_SECONDS) == number * number


@pytest.mark.usefixtures("node")
def test_futures_complete_without_notifications(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.live.channels.TASK", "a_channel_where_nothing_is_said")
    with TaskPoolExecutor() as pool:
        assert pool.submit(functions.square, 3).result(timeout=PATIENCE_SECONDS) == 9


@pytest.mark.usefixtures("node")
def test_futures_survive_the_loss_of_every_connection(service: User) -> None:
    with TaskPoolExecutor() as pool:
        future = pool.submit(functions.pid_after, 1)
        wait_until(future.running, what="the task")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] > 2
        assert future.result(timeout=PATIENCE_SECONDS) > 0


@pytest.mark.usefixtures("node")
def test_map_yields_in_order_and_is_one_batch() -> None:
    with TaskPoolExecutor() as pool:
        assert list(pool.map(functions.square, range(30), timeout=PATIENCE_SECONDS)) == [
            number**2 for number in range(30)
        ]
        assert list(pool.map(functions.square, [])) == []
    assert Batch.objects.get().tasks.count() == 30


@pytest.mark.usefixtures("node")
def test_map_that_times_out_cancels_what_has_not_started() -> None:
    with TaskPoolExecutor(priority=5) as pool, pytest.raises(TimeoutError):
        list(pool.map(functions.pid_after, [2.0] * 80, timeout=1))
    assert Task.objects.filter(status="cancelled").count() >= 10


@pytest.mark.usefixtures("node")
def test_exception_of_the_function_comes_back_as_task_failed() -> None:
    with TaskPoolExecutor() as pool:
        future = pool.submit(functions.fail.func, "so sad")
        error = future.exception(timeout=PATIENCE_SECONDS)
        assert isinstance(error, errors.TaskFailed)
        assert error.code == "function_raised"
        assert error.message == "tests.interop.functions.TooSad: so sad"
        assert "TooSad" in error.traceback
        assert error.task_id == str(future.task_id)
        with pytest.raises(errors.TaskFailed, match="so sad"):
            future.result()
        late = TaskPoolExecutor(timeout=1).submit(functions.pid_after, 60)
        cancel_task(late.task_id, by=User.objects.get(email="service@example.com"))
        with pytest.raises(CancelledError):
            late.result(timeout=PATIENCE_SECONDS)


@pytest.mark.usefixtures("node")
def test_running_call_is_cancelled_and_an_ended_one_is_not() -> None:
    with TaskPoolExecutor() as pool:
        ended = pool.submit(functions.square, 1)
        ended.result(timeout=PATIENCE_SECONDS)
        assert not ended.cancel()
        running = pool.submit(functions.pid_after, 600)
        wait_until(running.running, what="the task")
        assert running.cancel()
        with pytest.raises(CancelledError):
            running.result(timeout=PATIENCE_SECONDS)
        assert running.cancelled()


@pytest.mark.usefixtures("node")
def test_interrupted_query_takes_no_outcome_with_it() -> None:
    with TaskPoolExecutor() as pool:
        future = pool.submit(functions.sleep_in_the_database, 60)
        wait_until(future.running, what="the task")
        time.sleep(0.5)
        future.cancel()
        with pytest.raises(CancelledError):
            future.result(timeout=PATIENCE_SECONDS)
        assert pool.submit(functions.square, 2).result(timeout=PATIENCE_SECONDS) == 4
    task = Task.objects.get(pk=future.task_id)
    assert [attempt.outcome for attempt in task.attempts.all()] == ["cancelled"]
    wait_until(lambda: not queries_of_functions(), what="the end of the query in the server")


def test_function_has_a_connection_of_its_own(node: RunningNode, service: User) -> None:
    with TaskPoolExecutor() as pool:
        # An open transaction is rolled back, and neither the outcome nor the next call is caught in it.
        assert (
            pool.submit(functions.rename_and_leave_open, service.email).result(timeout=PATIENCE_SECONDS) == "left open"
        )
        assert pool.submit(functions.planner).result(timeout=PATIENCE_SECONDS) == "on"
    service.refresh_from_db()
    assert service.name == "Service"


def test_shutdown_cancels_what_has_not_started_and_refuses_more(service: User) -> None:
    pool = TaskPoolExecutor()
    futures = [pool.submit(functions.square, number) for number in range(3)]
    pool.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    assert set(Task.objects.values_list("status", flat=True)) == {"cancelled"}
    assert not concurrent.futures.wait(futures, timeout=0).not_done
    for submit in (lambda: pool.submit(functions.square, 1), lambda: pool.map(functions.square, [1])):
        with pytest.raises(RuntimeError, match="after shutdown"):
            submit()
    assert not watchers()


def test_thread_of_a_forgotten_executor_ends_with_its_last_task(service: User) -> None:
    future = TaskPoolExecutor().submit(functions.square, 1)
    gc.collect()
    assert watchers()
    assert future.cancel()
    wait_until(lambda: not watchers(), what="the thread's end")
    assert concurrent.futures.wait([future], timeout=0).done == {future}


def test_executor_refuses_what_it_cannot_run(service: User, make_user: Callable[..., User], settings: Any) -> None:
    with TaskPoolExecutor(user=make_user("poor", plan="Free")) as pool:
        with pytest.raises(errors.FunctionNotAllowed):
            pool.submit(time.sleep, 1)
        with pytest.raises(errors.FunctionNotAllowed, match="top of a module"):
            pool.submit(lambda: 1)
        with pytest.raises(TypeError, match="set"):
            pool.submit(functions.square, {1})  # type: ignore[arg-type]
        with transaction.atomic(), pytest.raises(errors.OpenTransaction):
            pool.submit(functions.square, 1)
        with pytest.raises(errors.QuotaExceeded):
            pool.map(functions.square, range(101))
    assert not Task.objects.exists()
    settings.TASK_USER = ""
    with pytest.raises(ImproperlyConfigured, match="TASK_USER"):
        TaskPoolExecutor()


def test_executor_without_a_call_needs_no_thread(service: User) -> None:
    with TaskPoolExecutor(user="SERVICE@example.com"):
        assert not watchers()


def queries_of_functions() -> list[tuple[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
            " AND query LIKE 'SELECT pg_sleep%' AND state = 'active'"
        )
        return list(cursor.fetchall())


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "task-futures"]
