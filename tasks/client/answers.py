"""Reads the portal's answers: what was asked for, or the problem as an exception."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from .errors import PortalError, error_of
from .shapes import Task

NOT_MODIFIED = 304


def json_of(answer: httpx.Response) -> Any:
    """Return the JSON of an answer.

    Raises:
        PortalError: it is none, so somebody else answered.
    """
    try:
        return answer.json()
    except ValueError as error:
        detail = f"{answer.url} did not answer with JSON: is this the address of a portal?"
        raise PortalError(answer.status_code, {"detail": detail}) from error


def task_of(answer: httpx.Response) -> Task:
    """Return the task of an answer.

    Raises:
        PortalError: it was submitted in the shape of another system, and the portal shows it in that shape only.
    """
    task = json_of(answer)
    if "done" not in task:
        detail = (
            f"The task at {answer.url.path} was submitted by a prompt without a type, as clients of another system do, "
            "and is read in their shape. Submit it with a type (text.generate) to read it here."
        )
        raise PortalError(answer.status_code, {"detail": detail})
    found: Task = task
    return found


def seconds_of(retry_after: str) -> float | None:
    """Return a Retry-After header, seconds or a date (RFC 9110, section 10.2.3), in seconds.

    >>> seconds_of("3"), seconds_of("soon")
    (3.0, None)
    """
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def checked(answer: httpx.Response) -> httpx.Response:
    """Return an answer below 300, or 304.

    Raises:
        PortalError: of the class of its problem.
    """
    if answer.status_code < 300 or answer.status_code == NOT_MODIFIED:
        return answer
    problem: Mapping[str, Any] = {}
    if answer.is_redirect:
        # Not followed: a token must not travel to wherever somebody points.
        problem = {"detail": f"{answer.url} leads to {answer.headers.get('Location')}: use that address."}
    elif answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        problem = json_of(answer)
    raise error_of(answer.status_code, dict(problem), seconds_of(answer.headers.get("Retry-After", "")))
