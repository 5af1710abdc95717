"""`@task` functions on our lanes: enqueued here, run by a real node, their results read back."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from tasks import errors
from tasks.interop import django_tasks, results
from tasks.interop.django_tasks import LaneBackend
from tasks.interop.library import InvalidTask, TaskResultDoesNotExist, TaskResultStatus, task_enqueued
from tasks.lifecycle.cancel import cancel_task
from tasks.models import Task
from tests.cluster.conftest import RunningNode, wait_until
from tests.interop import functions

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]


@pytest.mark.parametrize("module", [django_tasks, results])
def test_examples_in_docstrings_are_true(module: ModuleType) -> None:
    outcome = doctest.testmod(module)
    assert (outcome.attempted > 0, outcome.failed) == (True, 0)


def finished(result: Any) -> Any:
    def is_finished() -> bool:
        result.refresh()
        return bool(result.is_finished)

    wait_until(is_finished, what="the result")
    return result


@pytest.mark.usefixtures("node")
def test_enqueued_function_runs_and_its_result_comes_back(service: User) -> None:
    result = functions.add.enqueue(2, second=3)
    assert result.status == TaskResultStatus.READY
    finished(result)
    assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, 5)
    assert (result.args, result.kwargs, result.attempts, result.errors) == ([2], {"second": 3}, 1, [])
    assert result.enqueued_at <= result.started_at <= result.finished_at
    assert Task.objects.get(pk=result.id).owner == service
    again = functions.add.get_result(result.id)
    assert (again.return_value, again.task) == (5, functions.add)


@pytest.mark.usefixtures("node")
def test_priority_queue_and_time_are_ours_and_read_back_as_theirs() -> None:
    after = timezone.now() + timedelta(hours=1)
    result = functions.urgent.using(run_after=after).enqueue()
    row = Task.objects.get(pk=result.id)
    assert (row.priority, row.queue_id, row.run_after, row.status) == (10, "text", after, "scheduled")
    read = functions.urgent.get_result(result.id)
    assert (read.task.priority, read.task.queue_name, read.task.run_after) == (100, "text", after)
    assert read.status == TaskResultStatus.READY


@pytest.mark.usefixtures("node")
def test_function_with_a_context_gets_its_own_result() -> None:
    result = finished(functions.who.enqueue("hello"))
    assert result.return_value == {"greeting": "hello", "id": result.id, "attempt": 1}


@pytest.mark.usefixtures("node")
def test_coroutine_is_run_and_enqueued_from_a_coroutine() -> None:
    result = async_to_sync(functions.later.aenqueue)("at last")
    assert finished(result).return_value == "at last"


@pytest.mark.usefixtures("node")
def test_exception_fails_the_task_at_once_with_its_class_and_traceback() -> None:
    result = finished(functions.fail.enqueue("so: sad"))
    assert result.status == TaskResultStatus.FAILED
    [error] = result.errors
    assert error.exception_class is functions.TooSad
    assert "so: sad" in error.traceback
    assert "functions.py" in error.traceback
    with pytest.raises(ValueError, match="Task failed"):
        _ = result.return_value


@pytest.mark.usefixtures("node")
def test_function_may_ask_for_another_attempt() -> None:
    result = finished(functions.succeed_at_second_attempt.enqueue())
    assert (result.return_value, result.attempts) == (2, 2)
    assert [error.exception_class for error in result.errors] == [errors.Retry]


@pytest.mark.usefixtures("node")
def test_value_that_is_not_json_fails_the_task_instead_of_being_changed() -> None:
    result = finished(functions.today.enqueue())
    assert [error.exception_class for error in result.errors] == [errors.GiveUp]
    with pytest.raises(TypeError):
        functions.add.enqueue({1, 2})  # type: ignore[arg-type]


def test_cancelled_task_has_failed_in_their_words(service: User) -> None:
    result = functions.add.enqueue(1)
    cancel_task(Task.objects.get().pk, by=service)
    result.refresh()
    assert result.status == TaskResultStatus.FAILED
    assert [error.exception_class for error in result.errors] == [errors.CancelRequested]


def test_function_that_is_not_allowed_is_refused_at_enqueue(service: User, settings: Any) -> None:
    settings.TASK_FUNCTIONS = ["tests.interop.func"]
    with pytest.raises(InvalidTask, match=r"TASK_FUNCTIONS allows tests\.interop\.func\."):
        functions.add.enqueue(1)
    settings.TASK_FUNCTIONS = []
    with pytest.raises(InvalidTask, match="allows nothing"):
        functions.add.enqueue(1)
    assert not Task.objects.exists()


def test_missing_account_is_named(service: User, settings: Any) -> None:
    settings.TASK_USER = "gone@example.com"
    with pytest.raises(ImproperlyConfigured, match=r"gone@example\.com"):
        functions.add.enqueue(1)
    settings.TASK_USER = ""
    with pytest.raises(ImproperlyConfigured, match="TASK_USER"):
        functions.add.enqueue(1)
    [error] = LaneBackend("default", {}).check()
    assert error.id == "tasks.E001"
    assert LaneBackend("default", {"OPTIONS": {"USER": "a@example.com"}}).check() == []


def test_enqueue_inside_a_transaction_is_refused_and_works_on_commit(service: User) -> None:
    with transaction.atomic():
        with pytest.raises(InvalidTask, match="on_commit"):
            functions.add.enqueue(1)
        transaction.on_commit(lambda: functions.add.enqueue(1))
    assert Task.objects.count() == 1


def test_unknown_queue_and_priority_above_the_plan_are_refused(
    service: User, make_user: Callable[..., User], settings: Any
) -> None:
    with pytest.raises(InvalidTask, match="'nowhere' of such tasks does not exist"):
        functions.add.using(queue_name="nowhere").enqueue(1)
    settings.TASK_USER = make_user("poor", plan="Free").email
    with pytest.raises(InvalidTask, match="highest priority of your plan is 6"):
        functions.urgent.enqueue()


def test_results_of_others_and_of_nobody_are_not_there(service: User, alice: User, settings: Any) -> None:
    result = functions.add.enqueue(1)
    for result_id in ("nonsense", "0190c6b0-0000-7000-8000-000000000000"):
        with pytest.raises(TaskResultDoesNotExist):
            functions.add.get_result(result_id)
    settings.TASK_FUNCTIONS = []
    with pytest.raises(TaskResultDoesNotExist):
        functions.add.get_result(result.id)
    settings.TASK_FUNCTIONS = ["tests.interop"]
    settings.TASK_USER = alice.email
    with pytest.raises(TaskResultDoesNotExist):
        functions.add.get_result(result.id)


def test_receivers_are_told_of_an_enqueued_task(service: User) -> None:
    told: list[Any] = []

    def receive(task_result: Any, **_: Any) -> None:
        told.append(task_result)

    task_enqueued.connect(receive)
    try:
        result = functions.add.enqueue(1)
    finally:
        task_enqueued.disconnect(receive)
    assert told == [result]


def test_function_starts_after_its_time(node: RunningNode) -> None:
    run_after = timezone.now() + timedelta(seconds=0.5)
    result = functions.add.using(run_after=run_after).enqueue(1)
    assert result.status == TaskResultStatus.READY
    ended = finished(result)
    assert ended.return_value == 2
    assert ended.started_at >= run_after
