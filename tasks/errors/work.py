"""Raised by handlers and engines: what went wrong with the work, and whether it is worth another try."""

from __future__ import annotations

from tasks.errors.task_error import TaskError


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


class TooMuchKept(GiveUp):
    """More is to be kept for further attempts than one task may keep."""

    code = "too_much_kept"


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
