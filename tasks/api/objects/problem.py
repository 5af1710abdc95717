"""The shape of a problem; `tasks.api.problems` builds it."""

from __future__ import annotations

from pydantic import Field

from tasks.api.objects.shape import Shape


class Fault(Shape):
    """One thing that is wrong with the request."""

    pointer: str = Field(description="JSON pointer into the body, or the name of a parameter after a slash")
    code: str
    detail: str


class Problem(Shape):
    """Why a request was refused or failed (RFC 9457)."""

    type: str = Field(description="the page about this kind of problem")
    title: str
    status: int
    detail: str
    code: str = Field(description="stable; for programs")
    request_id: str = Field(description="also in X-Request-Id and in the log")
    errors: list[Fault]
