"""Ends of an attempt or a task that somebody else decides, and what those who wait for it are told."""

from __future__ import annotations

from tasks.errors.task_error import TaskError


class AttemptInterrupted(BaseException):
    """Raised inside a handler from outside. A BaseException, so that `except Exception` lets it pass."""


class CancelRequested(AttemptInterrupted):
    """The task was cancelled while it ran."""


class TimedOut(AttemptInterrupted):
    """The attempt took longer than its timeout."""

    code = "timed_out"


class NodeStopping(AttemptInterrupted):
    """The node is stopping; the task goes back to its lane."""


class TaskFailed(TaskError):
    """The task failed."""

    code = "task_failed"

    def __init__(self, message: str = "", *, code: str = "task_failed", task_id: str = "", traceback: str = "") -> None:
        """`code` is that of the task's error, `traceback` what the last attempt left, where there is one.

        With the code ``function_raised`` the message begins with the full name of the exception's class.
        """
        super().__init__(message)
        self.code = code
        self.task_id = task_id
        self.traceback = traceback


# Codes that have no exception: recorded on tasks by lifecycle.
LOST = ("worker_lost", "The worker or its node disappeared while it ran this task.")
CANCELLED = ("cancelled", "The task was cancelled.")
EXPIRED = ("expired", "The task did not start before the time given.")
# Its message says how often, and of what: `tasks.lifecycle.ending`.
POISON = "poison"
