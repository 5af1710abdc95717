"""What was given is faulty, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from tasks.errors.refused import Refused

MOST_FAULTS = 100


class Fault(dict[str, str]):
    """What is wrong at one place, as problems show it in JSON; the pointer (RFC 6901) is like ``/input/file``."""

    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(pointer=pointer, code=code, detail=detail)

    @property
    def pointer(self) -> str:
        return self["pointer"]

    @property
    def code(self) -> str:
        return self["code"]

    @property
    def detail(self) -> str:
        return self["detail"]

    def moved(self, pointer: str) -> Fault:
        """Return the same at another place."""
        return Fault(pointer, self.code, self.detail)


class InvalidInput(Refused):
    """The input does not fit the task type."""

    code = "invalid_input"

    def __init__(self, message: str = "", *, errors: Sequence[Fault] | None = None) -> None:
        super().__init__(message)
        # Ten thousand wrong keys need not be ten thousand answers.
        self.errors = list((errors or ())[:MOST_FAULTS])

    @classmethod
    def at(cls, pointer: str, code: str, detail: str) -> Self:
        """Return a refusal with one fault, whose detail is the message."""
        return cls(detail, errors=[Fault(pointer, code, detail)])


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
    """The file does not exist, or cannot be used here."""

    code = "invalid_file"


class InvalidDependency(InvalidInput):
    """A task that this one needs or refers to cannot be waited for."""

    code = "invalid_dependency"


class WebhookRefused(InvalidInput):
    """The portal cannot call this webhook."""

    code = "webhook_refused"


class InvalidSchedule(InvalidInput):
    """The times or rules of the schedule do not make sense."""

    code = "invalid_schedule"


class NotReusable(InvalidInput):
    """An earlier result cannot take the place of this task's."""

    code = "not_reusable"


class BatchRefused(InvalidInput):
    """Nothing of this atomic batch was submitted, because some of its tasks are faulty."""

    code = "batch_refused"
