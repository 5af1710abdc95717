"""`TaskPoolExecutor`: a `concurrent.futures.Executor` whose calls are tasks in a user's lane.

    with TaskPoolExecutor() as pool:
        for future in as_completed([pool.submit(resize, name) for name in names]):
            print(future.result())

`as_completed` and `wait` are the standard library's own: the futures are real ones.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    CancelledError,
    Executor,
    Future,
    as_completed,
    wait,
)
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

from accounts.models import User
from tasks.errors import TaskFailed
from tasks.functions.allowed import name_of
from tasks.interop.calls import Call, find_user, submit_call, submit_calls
from tasks.interop.watcher import Seen, Watcher
from tasks.lifecycle.cancel import cancel_task
from tasks.models import Task
from tasks.statuses import NOT_STARTED, TERMINAL, Status

__all__ = [
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "AsyncThreadPoolExecutor",
    "CancelledError",
    "TaskFuture",
    "TaskPoolExecutor",
    "as_completed",
    "async_as_completed",
    "wait",
]

BATCH = 1000

P = ParamSpec("P")
T = TypeVar("T")


class TaskFuture(Future[T]):
    """The result of a task that may not be there yet; `task_id` names the task.

    `result` and `exception` give a `TaskFailed` where the function raised or the task failed otherwise.
    """

    def __init__(self, task_id: UUID, user: User) -> None:
        super().__init__()
        self.task_id = task_id
        self._user = user
        self._is_running = False

    def running(self) -> bool:
        return self._is_running and not self.done()

    def cancel(self) -> bool:
        """Cancel the task, also while it runs: then it is interrupted, and the future is cancelled when that is done.

        Returns:
            False when the task had ended before.
        """
        if self.done():
            return self.cancelled()
        task = cancel_task(self.task_id, by=self._user, owner=self._user)
        return super().cancel() if task.status == Status.CANCELLED else not task.done

    def cancel_unstarted(self) -> None:
        """Cancel the task if it has not started; what the standard library's futures do."""
        if Task.objects.filter(pk=self.task_id, status__in=NOT_STARTED).exists():
            self.cancel()

    def see(self, seen: Seen) -> None:
        """Take over what became of the task. For the watcher, which alone ends the future."""
        self._is_running = seen.status == Status.RUNNING
        if seen.status not in TERMINAL:
            return
        if seen.status == Status.CANCELLED:
            super().cancel()
        if not self.set_running_or_notify_cancel():
            return
        if seen.status == Status.SUCCEEDED and seen.result is not None:
            self.set_result(cast(T, seen.result["value"]))
        else:
            self.set_exception(_failure(seen))


class TaskPoolExecutor(Executor):
    """Runs calls as tasks: in the user's lane, on any node, as many at once as the lane has slots.

    Functions must be at the top of a module that TASK_FUNCTIONS allows; arguments and results are JSON.
    Tasks outlive this process: without `shutdown` nobody waits for them, yet they are run.
    """

    def __init__(
        self,
        *,
        user: User | str | None = None,
        priority: int | None = None,
        timeout: int | None = None,
        queue: str | None = None,
    ) -> None:
        """`user` is an account or its e-mail, TASK_USER unless given; `priority` 1 to 10; `timeout` seconds of a task.

        Raises:
            ImproperlyConfigured: no such account.
        """
        self._user = find_user(user)
        self._options: dict[str, Any] = {"priority": priority, "timeout": timeout, "queue": queue}
        self._watcher = Watcher()
        self._is_shut_down = False
        # The thread of an executor that was forgotten ends with its last task.
        weakref.finalize(self, self._watcher.close)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[T]:
        """Submit one call.

        Raises:
            FunctionNotAllowed: not a function that a worker may import and run.
            TypeError, ValueError: an argument is not JSON.
            Refused: as `submit_task`; quotas count as for any submission.
            RuntimeError: after `shutdown`.
        """
        self._check_open()
        call = Call(name_of(fn), args, kwargs, **self._options)
        return self._watch(submit_call(self._user, call).pk)

    def map(
        self, fn: Callable[..., T], *iterables: Iterable[Any], timeout: float | None = None, chunksize: int = 1
    ) -> Iterator[T]:
        """Submit a call for each row of the iterables as one batch (1,000 calls at most in each); yield in order.

        `chunksize` is accepted as elsewhere and has no use here: every call is a task. Raises as `submit`.
        """
        self._check_open()
        deadline = None if timeout is None else time.monotonic() + timeout
        name = name_of(fn)
        calls = [Call(name, row, **self._options) for row in zip(*iterables, strict=False)]
        futures: list[TaskFuture[T]] = []
        for start in range(0, len(calls), BATCH):
            batch = submit_calls(self._user, calls[start : start + BATCH], name=f"map {name}")
            futures += [self._watch(UUID(item["id"])) for item in batch.items]
        return _in_order(futures, deadline)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; cancel those that have not started, if wished; wait for the rest, if wished."""
        self._is_shut_down = True
        if cancel_futures:
            for waiting in self._watcher.waiting():
                cast(TaskFuture[Any], waiting).cancel_unstarted()
        self._watcher.close()
        if wait:
            self._watcher.join()

    def _check_open(self) -> None:
        if self._is_shut_down:
            raise RuntimeError("cannot schedule new futures after shutdown")

    def _watch(self, task_id: UUID) -> TaskFuture[T]:
        future: TaskFuture[T] = TaskFuture(task_id, self._user)
        self._watcher.add(future)
        return future


class AsyncThreadPoolExecutor(TaskPoolExecutor):
    """System B's executor. What only a pool of threads needs is taken and not used: a lane has slots."""

    def __init__(self, max_workers: int | None = None, thread_name_prefix: str = "", **options: Any) -> None:
        """`options` are those of `TaskPoolExecutor`."""
        super().__init__(**options)


# By system B's name.
async_as_completed = as_completed


def _in_order(futures: Sequence[TaskFuture[T]], deadline: float | None) -> Iterator[T]:
    try:
        for future in futures:
            yield future.result(None if deadline is None else deadline - time.monotonic())
    finally:
        for future in futures:
            if not future.done():
                future.cancel_unstarted()


def _failure(seen: Seen) -> TaskFailed:
    if seen.error is None:
        return TaskFailed("The result of this task was purged.", code="purged", task_id=str(seen.id))
    return TaskFailed(
        str(seen.error["message"]), code=str(seen.error["code"]), task_id=str(seen.id), traceback=seen.traceback
    )
