"""Requests that are refused before anything is queued, and wishes that cannot be granted."""

from __future__ import annotations

from tasks.errors.task_error import TaskError


class Refused(TaskError):
    """The request was refused."""

    code = "refused"


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
