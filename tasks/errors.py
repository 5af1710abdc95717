"""One exception tree. A class's docstring is the message that API, admin and portal show."""

from __future__ import annotations

import inspect
from typing import Any, Self

MOST_FAULTS = 100


class TaskError(Exception):
    """Something went wrong with this task."""

    code = "task_error"
    retryable = False

    def __init__(self, message: str = "", **details: Any) -> None:
        self.message = message or inspect.cleandoc(type(self).__doc__ or "").splitlines()[0]
        self.details = details
        super().__init__(self.message)


# --- Refused before anything is queued ------------------------------------------------------------


class Refused(TaskError):
    """The request was refused."""

    code = "refused"


class InvalidInput(Refused):
    """The input does not fit the task type."""

    code = "invalid_input"

    def __init__(self, message: str = "", *, errors: list[dict[str, str]] | None = None) -> None:
        """`errors` is a list of ``{"pointer": "/input/file", "code": …, "detail": …}`` (RFC 6901 pointers)."""
        super().__init__(message)
        # Ten thousand wrong keys need not be ten thousand answers.
        self.errors = (errors or [])[:MOST_FAULTS]

    @classmethod
    def at(cls, pointer: str, code: str, detail: str) -> Self:
        """Return a refusal with one fault, whose detail is the message."""
        return cls(detail, errors=[{"pointer": pointer, "code": code, "detail": detail}])


class UnknownTaskType(InvalidInput):
    """There is no such task type."""

    code = "unknown_task_type"


class InvalidBody(InvalidInput):
    """A field of the body is missing, unknown, or has an impossible value."""

    code = "invalid_body"


class AbovePlan(InvalidInput):
    """This is more than your plan allows."""

    code = "above_plan"


class InvalidFile(InvalidInput):
    """The file is not there, or is none that can be taken."""

    code = "invalid_file"


class InvalidDependency(InvalidInput):
    """A task that is needed, or whose result is referred to, cannot be waited for."""

    code = "invalid_dependency"


class WebhookRefused(InvalidInput):
    """The webhook is none that the portal can call."""

    code = "webhook_refused"


class InvalidSchedule(InvalidInput):
    """The times or rules of the schedule do not make sense."""

    code = "invalid_schedule"


class NotReusable(InvalidInput):
    """An earlier result cannot stand for this task's."""

    code = "not_reusable"


class BatchRefused(InvalidInput):
    """Nothing of this atomic batch was submitted, since some of its tasks are faulty."""

    code = "batch_refused"


class EngineUnavailable(Refused):
    """Nothing on this installation can run this task type."""

    code = "engine_unavailable"


class QuotaExceeded(Refused):
    """A limit of your plan is reached."""

    code = "quota_exceeded"
    retryable = True

    def __init__(self, message: str, *, policy: str, limit: int, retry_after_seconds: int) -> None:
        """`policy` is one of burst, day, high-day, urgent-day, waiting, files."""
        super().__init__(message)
        self.policy = policy
        self.limit = limit
        self.retry_after_seconds = retry_after_seconds


class FunctionNotAllowed(Refused):
    """This function may not be run as a task."""

    code = "function_not_allowed"


class OpenTransaction(Refused):
    """A task cannot be submitted inside a database transaction: use `transaction.on_commit`."""

    code = "open_transaction"


class IdempotencyConflict(Refused):
    """This Idempotency-Key was used before with another body."""

    code = "idempotency_key_reused"


class UserDisabled(Refused):
    """This account may not submit tasks."""

    code = "account_disabled"


class Maintenance(Refused):
    """The portal is in maintenance: running work goes on, new tasks are refused for now."""

    code = "maintenance"
    retryable = True


class NotFound(Refused):
    """There is no such thing, or it is not yours."""

    code = "not_found"


class WrongStatus(Refused):
    """That cannot be done to a task in this status."""

    code = "wrong_status"


class ContentPurged(Refused):
    """The content was deleted when its time to be kept was over, or by its owner.

    `keep_until` of a task tells beforehand; the plan sets it.
    """

    code = "content_purged"


# --- Raised by handlers and engines ---------------------------------------------------------------


class HandlerError(TaskError):
    """The handler failed."""

    code = "handler_error"
    retryable = True


class GiveUp(TaskError):
    """The work cannot succeed, so it is not tried again."""

    code = "gave_up"


class FunctionRaised(GiveUp):
    """The function raised an exception."""

    code = "function_raised"


class UnreadableFile(GiveUp):
    """The file is broken, or is not what it says it is."""

    code = "unreadable_file"


class InputTooLarge(GiveUp):
    """The input is larger than this engine takes."""

    code = "input_too_large"


class StorageFull(HandlerError):
    """There is no room left for files.

    An operator must make room. Try again later: nothing of the file was kept.
    """

    code = "storage_full"


class StorageUnavailable(HandlerError):
    """Files cannot be stored or read at the moment.

    Their folder is away, or may not be written to; an operator must look. Try again later: nothing of the file was
    kept.
    """

    code = "storage_unavailable"


class UrlRefused(GiveUp):
    """The portal does not call this address."""

    code = "url_refused"


class FetchFailed(HandlerError):
    """The other server could not be reached, or did not answer properly."""

    code = "fetch_failed"

    def __init__(self, message: str = "", *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class EngineError(HandlerError):
    """The engine failed."""

    code = "engine_error"


class BackendError(HandlerError):
    """The model server failed or did not answer."""

    code = "backend_error"


class ServerFailed(BackendError):
    """One model server failed; another may do the work."""

    def __init__(
        self, message: str = "", *, why: str = "failed", after: float | None = None, elsewhere: bool = True
    ) -> None:
        """`why` is one of unreachable, busy, failed, broken_off, nonsense, timeout, key.

        `after` are the seconds that the server asked to be left alone, `elsewhere` says whether the balancer
        may repeat the call on another server.
        """
        super().__init__(message)
        self.why = why
        self.after = after
        self.elsewhere = elsewhere


class BackendBusy(TaskError):
    """Every model server for this work is busy."""

    code = "backend_busy"
    retryable = True


class BackendUnreachable(BackendBusy):
    """No model server for this work answers."""

    code = "backend_unreachable"


class Retry(TaskError):
    """The handler asks to be run again later; costs an attempt."""

    code = "retry_requested"
    retryable = True

    def __init__(self, message: str = "", *, after: float | None = None) -> None:
        """`after` is in seconds; None leaves the wait to the type's retry policy."""
        super().__init__(message)
        self.after = after


class Snooze(TaskError):
    """The handler asks to be run again later; costs no attempt."""

    code = "snoozed"
    retryable = True

    def __init__(self, message: str = "", *, seconds: float = 5.0) -> None:
        super().__init__(message)
        self.seconds = seconds


# --- Outcomes that the worker or the node decides -------------------------------------------------


class AttemptInterrupted(BaseException):
    """Raised inside a handler from outside. A BaseException, so that `except Exception` lets it pass."""


class CancelRequested(AttemptInterrupted):
    """The task was cancelled while it ran."""


class TimedOut(AttemptInterrupted):
    """The attempt took longer than its timeout."""

    code = "timed_out"


class NodeStopping(AttemptInterrupted):
    """The node stops; the task goes back to its lane."""


# --- Raised to whoever waits for a task's result --------------------------------------------------


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
