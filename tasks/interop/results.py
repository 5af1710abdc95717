"""Our task as a `TaskResult` of `django.tasks`: statuses, errors and times in its words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from accounts.models import User
from tasks import errors
from tasks.functions.allowed import find_function
from tasks.interop.calls import TYPE
from tasks.interop.library import Task as LibraryTask
from tasks.interop.library import TaskError, TaskResult, TaskResultDoesNotExist, TaskResultStatus
from tasks.models import Attempt, Task, TaskContent
from tasks.models.attempt import FAILING, Outcome
from tasks.owned import get_owned
from tasks.statuses import TERMINAL, Status

P = ParamSpec("P")
R = TypeVar("R")

METADATA = "django_tasks"
FAILURES = (*FAILING, Outcome.CANCELLED)


def status_of(status: str) -> TaskResultStatus:
    """Return their word for a stored status: READY until it runs (between attempts, too), FAILED for every bad end."""
    if status == Status.SUCCEEDED:
        return TaskResultStatus.SUCCESSFUL
    if status in TERMINAL:
        return TaskResultStatus.FAILED
    return TaskResultStatus.RUNNING if status == Status.RUNNING else TaskResultStatus.READY


def noted(task: LibraryTask[..., Any]) -> dict[str, Any]:
    """Return what of the task our columns do not keep as it was given."""
    run_after = task.run_after and task.run_after.isoformat()
    return {METADATA: {"queue_name": task.queue_name, "priority": task.priority, "run_after": run_after}}


def find_result(result_id: str, alias: str, *, owner: User) -> TaskResult[..., Any]:
    """Return the result with this id of this backend and account.

    Raises:
        TaskResultDoesNotExist: as `LaneBackend.get_result`.
    """
    try:
        calls = Task.objects.filter(type=TYPE).select_related("content")
        row = get_owned(calls, UUID(result_id), owner=owner)
    except (ValueError, errors.NotFound) as error:
        raise TaskResultDoesNotExist(result_id) from error
    content: TaskContent | None = getattr(row, "content", None)
    if content is None or content.input.get("backend") != alias:
        raise TaskResultDoesNotExist(result_id)
    try:
        found = find_function(content.input["function"])
    except errors.FunctionNotAllowed as error:
        raise TaskResultDoesNotExist(error.message) from error
    if not isinstance(found, LibraryTask):
        raise TaskResultDoesNotExist(f"{content.input['function']} is no longer a task.")
    return result_of(row, _as_enqueued(found, alias, content.metadata[METADATA]), alias)


def result_of(row: Task, task: LibraryTask[P, R], alias: str) -> TaskResult[P, R]:
    """Return the result of a task whose content is read; reads its attempts."""
    attempts = list(row.attempts.all()) if row.attempt_number else []
    started = [attempt.started_at for attempt in attempts]
    workers = [f"{attempt.node_id}:{attempt.worker_pid}" for attempt in attempts]
    if row.status == Status.RUNNING:
        started += [row.started_at] if row.started_at else []
        workers.append(f"{row.node_id}:{row.worker_pid}")
    result: TaskResult[P, R] = TaskResult(
        task=task,
        id=str(row.pk),
        status=status_of(row.status),
        enqueued_at=row.created_at,
        started_at=min(started, default=None),
        finished_at=row.finished_at,
        last_attempted_at=max(started, default=None),
        args=row.content.input.get("args", []),
        kwargs=row.content.input.get("kwargs", {}),
        backend=alias,
        errors=list(_errors(row, attempts)),
        worker_ids=workers,
    )
    if row.status == Status.SUCCEEDED:
        # As their own backends do: the class is frozen, and its constructor does not take the value.
        object.__setattr__(result, "_return_value", (row.content.result or {}).get("value"))
    return result


def class_path(error: dict[str, Any]) -> str:
    """Return the full name of the exception behind a task's error, or of ours for its code.

    >>> class_path({"code": "function_raised", "message": "builtins.ValueError: no: never"})
    'builtins.ValueError'
    >>> class_path({"code": "timed_out", "message": "too long"})
    'tasks.errors.TimedOut'
    >>> class_path({"code": "function_raised", "message": ""})
    'tasks.errors.FunctionRaised'
    """
    # Purged, an error has its code alone.
    if error["code"] == errors.FunctionRaised.code and error["message"]:
        return str(error["message"]).partition(":")[0]
    name = _CLASSES.get(error["code"], "TaskError")
    return f"{errors.__name__}.{name}"


def _classes(of: type[errors.TaskError]) -> Iterator[tuple[str, str]]:
    yield of.code, of.__name__
    for subclass in of.__subclasses__():
        if subclass.__module__ == errors.__name__:
            yield from _classes(subclass)


_CLASSES = dict(_classes(errors.TaskError)) | {
    errors.TimedOut.code: errors.TimedOut.__name__,
    errors.CANCELLED[0]: errors.CancelRequested.__name__,
}


def _errors(row: Task, attempts: list[Attempt]) -> Iterator[TaskError]:
    failures = [(attempt.error, attempt.traceback) for attempt in attempts if attempt.outcome in FAILURES]
    for error, traceback in failures:
        if error:
            yield TaskError(exception_class_path=class_path(error), traceback=traceback)
    if row.error and row.status in TERMINAL and not failures:
        # It ended without an attempt: cancelled or expired while it waited.
        yield TaskError(exception_class_path=class_path(row.error), traceback=str(row.error["message"]))


def _as_enqueued(found: LibraryTask[..., Any], alias: str, told: dict[str, Any]) -> LibraryTask[..., Any]:
    run_after = told["run_after"] and datetime.fromisoformat(told["run_after"])
    return found.using(
        backend=alias, queue_name=told["queue_name"], priority=told["priority"], run_after=run_after or None
    )
