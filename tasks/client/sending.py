"""Sends requests, and sends them again while the portal is away or asks for patience."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from tasks.client.shapes import Task
from tasks.client_errors import PortalError, error_of

RETRIED = frozenset({429, 502, 503, 504})
MOST_TRIES = 5
LONGEST_PAUSE_SECONDS = 60.0
NOT_MODIFIED = 304


class Sender:
    """One portal, one token, one pool of connections."""

    def __init__(self, url: str, token: str, *, timeout: float) -> None:
        self.timeout = timeout
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout,
        )

    def close(self) -> None:
        self._http.close()

    def send(self, method: str, path: str, *, longer: float = 0.0, **request: Any) -> httpx.Response:
        """Send a request that may be repeated; `longer` are seconds that the portal may take besides.

        Raises:
            PortalError: it is refused, or failed again and again.
            httpx.TransportError: the portal cannot be reached.
        """
        for number in range(1, MOST_TRIES + 1):
            try:
                return self.send_once(method, path, longer=longer, **request)
            except (httpx.TransportError, PortalError) as error:
                pause = pause_before_retry(error, number)
                if pause is None:
                    raise
            time.sleep(pause)
        raise AssertionError("unreachable")

    def send_once(self, method: str, path: str, *, longer: float = 0.0, **request: Any) -> httpx.Response:
        """Send a request that must not be repeated blindly."""
        timeout = httpx.Timeout(self.timeout, read=self.timeout + longer)
        return _checked(self._http.request(method, path, timeout=timeout, **request))

    def send_json(self, method: str, path: str, **request: Any) -> Any:
        """Send a request that may be repeated, and return the JSON of its answer."""
        return json_of(self.send(method, path, **request))

    @contextmanager
    def open(self, method: str, path: str, *, longer: float = 0.0, **request: Any) -> Iterator[httpx.Response]:
        """Send once, and hand out the answer before its body was read."""
        timeout = httpx.Timeout(self.timeout, read=self.timeout + longer)
        with self._http.stream(method, path, timeout=timeout, **request) as answer:
            if answer.status_code >= 300:
                answer.read()
            yield _checked(answer)


def pause_before_retry(error: Exception, number: int) -> float | None:
    """Return how many seconds to wait before try `number` + 1; None when there shall be none.

    Without a Retry-After: exponential, with jitter, so that clients who lost the portal together do not
    come back together.
    """
    if number >= MOST_TRIES:
        return None
    usual = 0.2 * 2**number * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
    if isinstance(error, httpx.TransportError):
        # What cannot work the second time either: a scheme or a proxy that httpx does not speak.
        return None if isinstance(error, httpx.UnsupportedProtocol) else usual
    if not isinstance(error, PortalError) or error.status not in RETRIED:
        return None
    pause = usual if error.retry_after is None else error.retry_after
    return pause if pause <= LONGEST_PAUSE_SECONDS else None


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


def _checked(answer: httpx.Response) -> httpx.Response:
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
