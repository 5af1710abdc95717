"""Sends requests to a model server, and turns everything that goes wrong into our errors.

What a server is to blame for is `ServerFailed`, and another one may be asked; what the request is to blame
for is `GiveUp`. Messages repeat what the server says of the request, never its key.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx

from tasks import tracing
from tasks.backends.addresses import is_local
from tasks.context import Server
from tasks.errors import GiveUp, ServerFailed

CONNECT_SECONDS = 5.0
# Between two pieces of an answer. A long prompt is read, and a picture drawn, before the first.
SILENCE_SECONDS = {"chat": 180.0, "embeddings": 60.0, "images": 600.0, "vision": 180.0, "speech": 600.0, "http": 120.0}
MAX_MESSAGE_CHARACTERS = 300
MAX_ERROR_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 16 * 1024 * 1024
LONGEST_REST_SECONDS = 3600.0


@contextmanager
def connected(kind: str, name: str, base_url: str, key: str, models: tuple[str, ...]) -> Iterator[Server]:
    """Make a server out of its address and key, with a client for one call."""
    headers = ({"Authorization": f"Bearer {key}"} if key else {}) | dict(tracing.headers())
    silence = SILENCE_SECONDS[kind]
    timeout = httpx.Timeout(silence, connect=CONNECT_SECONDS, write=60.0)
    # A proxy of the environment does not lead to this machine.
    outside = not is_local(base_url)
    with httpx.Client(timeout=timeout, headers=headers, verify=_certificates(), trust_env=outside) as client:
        yield Server(name=name, base_url=base_url, client=client, headers=headers, models=models)


@cache
def _certificates() -> ssl.SSLContext:
    # Reading the certificates takes tens of milliseconds; a context may be shared.
    return httpx.create_ssl_context()


@contextmanager
def translated() -> Iterator[None]:
    """Turn what httpx raises into `ServerFailed`.

    A time-out counts against its server, but is not repeated on others: the request itself may be what takes so long.
    """
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise ServerFailed("The model server cannot be reached: no answer in time.", why="unreachable") from error
    except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.ProxyError) as error:
        raise ServerFailed("The model server cannot be reached.", why="unreachable") from error
    except httpx.TimeoutException as error:
        message = "The model server did not answer in time."
        raise ServerFailed(message, why="timeout", elsewhere=False) from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise ServerFailed("The connection to the model server broke.", why="broken_off") from error


def post_json(server: Server, path: str, body: Mapping[str, Any], *, most_bytes: int = MAX_ANSWER_BYTES) -> Any:
    """Send JSON and return the JSON of the answer.

    Raises:
        ServerFailed: refused, busy, not reached, broke off, or answered with something else.
        GiveUp: the server says that the request is wrong.
    """
    with translated(), server.client.stream("POST", f"{server.base_url}{path}", json=dict(body)) as answer:
        return read_json(answer, most_bytes=most_bytes)


def read_json(answer: httpx.Response, *, most_bytes: int = MAX_ANSWER_BYTES) -> Any:
    """Return the JSON of an answer whose body was not read yet.

    Raises:
        ServerFailed, GiveUp: as `post_json`.
    """
    body = read_body(answer, most_bytes=most_bytes)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ServerFailed("The model server sent something that is not JSON.", why="nonsense") from error


def read_body(answer: httpx.Response, *, most_bytes: int = MAX_ANSWER_BYTES) -> bytes:
    """Return the body of a good answer.

    Raises:
        ServerFailed, GiveUp: as `check_status`; or it is larger than `most_bytes`.
    """
    check_status(answer)
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > most_bytes:
            raise ServerFailed("The model server sent more than it should.", why="nonsense")
    return bytes(body)


def check_status(answer: httpx.Response) -> None:
    """Raise what the HTTP status means.

    Raises:
        ServerFailed: the server is to blame; `why` is busy, key, missing or failed.
        GiveUp: the request is to blame.
    """
    if answer.is_success:
        return
    status, message = answer.status_code, _message_of(answer)
    after = _retry_after(answer)
    if status == 429 or (status == 503 and after is not None):
        raise ServerFailed("The model server is busy.", why="busy", after=after)
    if status in {401, 403}:
        raise ServerFailed(f"The model server refused the key (HTTP status {status}).", why="key")
    if status == 404:
        raise ServerFailed(f"The model server does not know the model or the address. {message}".strip(), why="missing")
    if status in {400, 413, 415, 422}:
        raise GiveUp(f"The model server refused the request. {message}".strip())
    raise ServerFailed(f"The model server answered with HTTP status {status}. {message}".strip())


def _message_of(answer: httpx.Response) -> str:
    try:
        # The end of a long page of HTML is of no interest.
        error = json.loads(next(answer.iter_bytes(MAX_ERROR_BYTES), b""))["error"]
        return str(error["message"] if isinstance(error, dict) else error)[:MAX_MESSAGE_CHARACTERS]
    except (ValueError, LookupError, TypeError, httpx.HTTPError, httpx.StreamError):
        return ""


def _retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds of ``Retry-After`` (RFC 9110, section 10.2.3): a number or a date."""
    text = answer.headers.get("retry-after", "").strip()
    try:
        seconds = float(text) if text.isdigit() else (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_REST_SECONDS)
