"""The wire of server-sent events (WHATWG HTML, "Server-sent events"): one client, written to as fast as it reads."""

from __future__ import annotations

import asyncio

from tasks.api.streams.ask import Headers, Send
from tasks.api.streams.wake import Wake

# A client that takes nothing for so long is dropped; it comes back with its last event's id.
SLOWEST_WRITE_SECONDS = 20.0
# Browsers connect again after this many milliseconds.
RETRY_MS = 2000


class Slow(Exception):
    """The client does not read."""


class Over(Exception):
    """The client left, or the server stops: what there was still to tell is not read any more."""


class Wire:
    """Writes the body of one stream."""

    def __init__(self, send: Send, wake: Wake) -> None:
        self._send = send
        self._wake = wake

    async def start(self, headers: Headers) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._write(f"retry: {RETRY_MS}\n\n")

    async def event(self, name: str, data: str, *, id: str | None = None) -> None:
        """Send an event; `data` is JSON, which has no line breaks.

        Raises:
            Slow: the client has not taken what was sent before.
            Over: nobody takes it.
        """
        # A server takes what is sent to a client that left, so catching up would go on for nobody.
        if self._wake.ended:
            raise Over
        await self._write(f"event: {name}\n" + (f"id: {id}\n" if id is not None else "") + f"data: {data}\n\n")

    async def position(self, id: str) -> None:
        """Set the client's last event id, without an event."""
        await self._write(f"id: {id}\n\n")

    async def beat(self) -> None:
        """Send a comment: it keeps proxies from closing the connection."""
        await self._write(": still here\n\n")

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, text: str) -> None:
        # The server makes us wait while its buffer for this client is full.
        try:
            async with asyncio.timeout(SLOWEST_WRITE_SECONDS):
                await self._send(
                    {"type": "http.response.body", "body": text.encode("utf-8", "replace"), "more_body": True}
                )
        except TimeoutError as error:
            raise Slow from error
