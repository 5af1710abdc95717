"""The backend of `django.tasks`: functions with `@task`, of any Django app, run on our lanes.

Settings: ``TASKS = {"default": {"BACKEND": "tasks.interop.django_tasks.LaneBackend", "QUEUES": []}}``,
with the options USER (e-mail of the account in whose lane they run; else TASK_USER) and TIMEOUT (seconds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.conf import settings
from django.core import checks

from tasks import errors
from tasks.functions.allowed import name_of
from tasks.interop import results
from tasks.interop.calls import Call, find_user, submit_call
from tasks.interop.library import (
    DEFAULT_TASK_QUEUE_NAME,
    BaseTaskBackend,
    InvalidTask,
    Task,
    TaskContext,
    TaskResult,
    task_enqueued,
)

P = ParamSpec("P")
R = TypeVar("R")

OURS = 5  # what their priority 0 is


def our_priority(priority: int) -> int:
    """Return our priority (1 to 10) for one of `django.tasks` (-100 to 100).

    >>> [our_priority(given) for given in (-100, -50, 0, 20, 40, 100)]
    [1, 3, 5, 6, 7, 10]
    """
    steps = 10 - OURS if priority > 0 else OURS - 1
    return OURS + round(priority * steps / 100)


class LaneBackend(BaseTaskBackend):
    """Enqueues into the lane of one account. A queue's name is one of ours; ``default`` is the type's own."""

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def enqueue(self, task: Task[P, R], args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult[P, R]:
        """Submit the task.

        Raises:
            InvalidTask: not on the allow-list, no such queue, priority above the account's plan, inside a transaction.
            TypeError, ValueError: an argument is not JSON.
            ImproperlyConfigured: no account to run it for.
            QuotaExceeded, UserDisabled, Maintenance: the account cannot submit now.
        """
        self.validate_task(task)
        try:
            row = submit_call(find_user(self.options.get("USER")), self._call(task, args, kwargs))
        except (
            errors.FunctionNotAllowed,
            errors.OpenTransaction,
            errors.InvalidInput,
            errors.EngineUnavailable,
        ) as error:
            raise InvalidTask(error.message) from error
        result = results.result_of(row, task, self.alias)
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> TaskResult[..., Any]:
        """Return what is known of a task of this backend.

        Raises:
            TaskResultDoesNotExist: there is none, it was purged, or its function is not there or not allowed any more.
        """
        return results.find_result(result_id, self.alias, owner=find_user(self.options.get("USER")))

    def make_context(self, task_id: UUID) -> TaskContext[..., Any]:
        """Return the context of a running task. Called in the worker, for functions that take one."""
        return TaskContext(task_result=self.get_result(str(task_id)))

    def check(self, **kwargs: Any) -> list[Any]:
        """Say what is missing, where functions are allowed at all."""
        if settings.TASK_FUNCTIONS and not (self.options.get("USER") or settings.TASK_USER):
            hint = "Set TASK_USER, or the option USER of this backend, to the e-mail of the account to run them for."
            message = f"TASK_FUNCTIONS allows functions, but the task backend {self.alias!r} has no account."
            return [checks.Error(message, hint=hint, id="tasks.E001")]
        return []

    def _call(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
        own_queue = task.queue_name == DEFAULT_TASK_QUEUE_NAME
        return Call(
            function=name_of(task.func),
            args=args,
            kwargs=dict(kwargs),
            backend=self.alias,
            # Without a priority the account's plan may lower it, as for any task.
            priority=our_priority(task.priority) if task.priority else None,
            queue=None if own_queue else task.queue_name,
            run_after=task.run_after,
            timeout=self.options.get("TIMEOUT"),
            metadata=results.noted(task),
        )
