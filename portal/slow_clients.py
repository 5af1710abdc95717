"""Keeps slow clients, real or pretended, from holding threads: the event loop waits for what they send and read.

A body that fits in memory, or on the disk beside it, is complete before a thread is taken. Larger ones, which are
uploads, go through a thread as they arrive: so only a few at a time, and those of strangers are refused unread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any, TypeVar

from django.conf import settings

from portal.request_body import ArrivingBody, Body, KeptBody
from tasks.api.arrival import Arrival

# How long a client may keep us waiting. Each byte that passes gives some of it back, but never more than this: so
# it is also the longest pause, and whoever is slower than the rate below for long runs out of it.
PATIENCE_SECONDS = 20.0
SLOWEST_BYTES_A_SECOND = 20_000
# A body is kept in memory up to here; what is longer goes to a temporary file.
MEMORY_BYTES = 64 * 1024
# Answers are handed to the server in pieces of this size: its buffer takes any, but says only when all of it is gone.
PIECE_BYTES = 64 * 1024
# Up to here no transport of asyncio or uvloop makes a sender wait.
LOW_WATER_BYTES = 16 * 1024

logger = logging.getLogger(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Found = TypeVar("Found")

_uploads = asyncio.Semaphore(max(1, settings.WEB_THREADS // 2))


class Patience:
    """The time that a client may still keep us waiting; the time that we keep it waiting does not count."""

    def __init__(self) -> None:
        self._seconds = PATIENCE_SECONDS

    async def wait(self, for_client: Awaitable[Found]) -> Found:
        """Wait for the client.

        Raises:
            TimeoutError: it took too long.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(self._seconds):
            found = await for_client
        self._seconds -= loop.time() - began
        return found

    def passed(self, byte_count: int) -> None:
        """Give time back for bytes that came or went."""
        self._seconds = min(PATIENCE_SECONDS, self._seconds + byte_count / SLOWEST_BYTES_A_SECOND)


@asynccontextmanager
async def arriving(length: int, receive: Receive, arrival: Arrival) -> AsyncIterator[Body]:
    """Give a body of this length to be read in a thread, at the time when the thread may be taken.

    Reading it then raises TimeoutError or ConnectionResetError where it did not come to its end.
    """
    if length > settings.MAX_BODY_BYTES:
        async with _uploads:
            yield ArrivingBody(from_client(receive, arrival))
    else:
        with SpooledTemporaryFile(max_size=MEMORY_BYTES) as kept:
            failure = await _keep(kept, from_client(receive, arrival))
            kept.seek(0)
            yield KeptBody(kept, failure)


def from_client(receive: Receive, arrival: Arrival) -> Receive:
    """Make a body that breaks off, or comes too slowly, raise: a cut upload must not pass for a whole file."""
    patience = Patience()

    async def receive_part() -> Message:
        try:
            message = await patience.wait(receive())
        except TimeoutError:
            arrival.too_slow = True
            raise
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("The client went away while it sent the body.")
        patience.passed(len(message.get("body", b"")))
        return message

    return receive_part


def until_stalled(send: Send) -> Send:
    """Make sending never wait for long: who takes nothing is cut off, and what there is still to send is dropped.

    It does not raise: an answer that nobody takes is made to its end, and nothing is wrong with the view that makes it.
    """
    patience = Patience()
    # ASGI has no word for closing a connection, nor for how much is still to be sent.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    is_cut = False

    async def send_part(message: Message) -> None:
        nonlocal is_cut
        if is_cut:
            return
        try:
            for piece in _pieces(message):
                if transport is not None and transport.get_write_buffer_size() <= LOW_WATER_BYTES:
                    # It is taken at once, as are most answers as a whole; a timer would cost more than that.
                    await send(piece)
                else:
                    await patience.wait(send(piece))
                patience.passed(len(piece.get("body", b"")))
        except TimeoutError:
            is_cut = True
            logger.info("A client does not take its answer, and is cut off.")
            # The server's own way to close waits until the client has taken what was written.
            if transport is not None:
                transport.abort()

    return send_part


def body_length(scope: Message) -> int:
    """Return the length of the body that a request announces."""
    given = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(given) if given.isdigit() else 0


def no_body() -> Body:
    """Return a body of nothing."""
    return KeptBody(BytesIO())


async def _keep(kept: SpooledTemporaryFile[bytes], receive: Receive) -> OSError | None:
    """Keep the body as far as it comes; return why it did not come to its end."""
    has_more = True
    while has_more:
        try:
            message = await receive()
        except (TimeoutError, ConnectionResetError) as error:
            return error
        part = message.get("body", b"")
        try:
            if kept.tell() + len(part) <= MEMORY_BYTES:
                kept.write(part)
            else:
                # A disk may take its time.
                await asyncio.to_thread(kept.write, part)
        except OSError as error:
            # No room for it: said in the words of whoever reads the body.
            return error
        has_more = message.get("more_body", False)
    return None


def _pieces(message: Message) -> Iterator[Message]:
    body = message.get("body", b"")
    if len(body) <= PIECE_BYTES:
        yield message
        return
    for start in range(0, len(body), PIECE_BYTES):
        is_last = start + PIECE_BYTES >= len(body)
        more = message.get("more_body", False) if is_last else True
        yield message | {"body": body[start : start + PIECE_BYTES], "more_body": more}
