"""Sends requests, and sends them again while the portal is away or asks for patience."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, BinaryIO, TypeVar

import httpx

from .answers import checked, json_of
from .errors import PortalError
from .wire import Wire

T = TypeVar("T")
RETRIED = frozenset({429, 502, 503, 504})
MOST_TRIES = 5
LONGEST_PAUSE_SECONDS = 60.0


class Sender:
    """One portal, one token, one pool of connections."""

    def __init__(self, wire: Wire, *, timeout: float) -> None:
        self.wire = wire
        self._timeout = timeout

    async def send(
        self, method: str, path: str, *, longer: float = 0.0, file: BinaryIO | None = None, **request: Any
    ) -> httpx.Response:
        """Send a request that may be repeated; `longer` are seconds that the portal may take besides.

        `file` is sent as the body, from its beginning each time.

        Raises:
            PortalError: it is refused, or failed again and again.
            httpx.TransportError: the portal cannot be reached.
        """

        async def once() -> httpx.Response:
            if file is not None:
                file.seek(0)
                request["content"] = self.wire.content_of(file)
            return checked(await self.wire.send(method, path, timeout=self._patience(longer), **request))

        return await self.repeat(once)

    async def send_json(self, method: str, path: str, **request: Any) -> Any:
        """Send a request that may be repeated, and return the JSON of its answer."""
        return json_of(await self.send(method, path, **request))

    async def make(self, method: str, path: str, *, key: str | None, **request: Any) -> Any:
        """Send what must happen once under an idempotency key, of our own where none is given; return the JSON."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())} | request.pop("headers", {})
        return await self.send_json(method, path, headers=headers, **request)

    async def pages(self, path: str, **query: Any) -> AsyncGenerator[Any]:
        """Yield each thing of a list, page by page."""
        while True:
            page = await self.send_json("GET", path, params=query)
            for found in page["data"]:
                yield found
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    @asynccontextmanager
    async def open(self, method: str, path: str, **request: Any) -> AsyncIterator[httpx.Response]:
        """Send, again where it must be, and hand out the answer before its body was read."""
        async with AsyncExitStack() as stack:
            yield await self.repeat(lambda: stack.enter_async_context(self.open_once(method, path, **request)))

    @asynccontextmanager
    async def open_once(
        self, method: str, path: str, *, longer: float = 0.0, **request: Any
    ) -> AsyncIterator[httpx.Response]:
        async with self.wire.open(method, path, timeout=self._patience(longer), **request) as answer:
            if answer.status_code >= 300:
                await self.wire.read(answer)
            yield checked(answer)

    async def repeat(self, once: Callable[[], Awaitable[T]]) -> T:
        """Do something that may be repeated, until it does or there is no more hope."""
        number = 1
        while True:
            try:
                return await once()
            except (httpx.TransportError, PortalError) as error:
                pause = pause_before_retry(error, number)
                if pause is None:
                    raise
            await self.wire.pause(pause)
            number += 1

    def _patience(self, longer: float) -> httpx.Timeout:
        return httpx.Timeout(self._timeout, read=self._timeout + longer)


def pause_before_retry(error: Exception, number: int) -> float | None:
    """Return how many seconds to wait before try `number` + 1; None when there shall be none.

    Without a Retry-After: exponential, with jitter, so that clients who lost the portal together do not
    come back together.
    """
    if number >= MOST_TRIES:
        return None
    usual = 0.2 * 2**number * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
    if isinstance(error, httpx.TransportError):
        # What cannot work the second time either: a scheme or a proxy that httpx does not speak, a file that shrank.
        return None if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError) else usual
    if not isinstance(error, PortalError) or error.status not in RETRIED:
        return None
    pause = usual if error.retry_after is None else error.retry_after
    return pause if pause <= LONGEST_PAUSE_SECONDS else None


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given: an older portal refuses fields that it does not know.

    >>> given(name="nightly", cron=None)
    {'name': 'nightly'}
    """
    return {name: value for name, value in options.items() if value is not None}


def filters_of(metadata: Mapping[str, str] | None, filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query of a list.

    >>> filters_of({"customer": "42"}, {"status": ["failed"]})
    {'status': ['failed'], 'metadata[customer]': '42'}
    """
    return {**filters, **{f"metadata[{key}]": value for key, value in (metadata or {}).items()}}
