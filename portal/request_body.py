"""Bodies of requests as WSGI reads them, in a thread: one that is here already, and one that still comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import IO, Any, Protocol

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Body(Protocol):
    """`wsgi.input` as Django uses it."""

    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int = -1, /) -> bytes: ...


class KeptBody:
    """A body that came before the thread was taken. `failure`: why it broke off, raised for who reads that far."""

    def __init__(self, kept: IO[bytes], failure: OSError | None = None) -> None:
        self._kept = kept
        self._failure = failure

    def read(self, size: int = -1, /) -> bytes:
        part = self._kept.read(size)
        if self._failure is not None and (size < 0 or len(part) < size):
            raise self._failure
        return part

    def readline(self, size: int = -1, /) -> bytes:
        line = self._kept.readline(size)
        if self._failure is not None and not line.endswith(b"\n") and (size < 0 or len(line) < size):
            raise self._failure
        return line


class ArrivingBody:
    """A body that the event loop receives while a thread reads it; what `receive` raises, the reader gets."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._unread = bytearray()
        self._has_more = True

    def read(self, size: int = -1, /) -> bytes:
        while self._has_more and (size < 0 or len(self._unread) < size):
            self._take_part()
        return self._cut(len(self._unread) if size < 0 else size)

    def readline(self, size: int = -1, /) -> bytes:
        searched = 0
        while (at := self._unread.find(b"\n", searched)) < 0 and self._has_more:
            searched = len(self._unread)
            if 0 <= size <= searched:
                break
            self._take_part()
        end = len(self._unread) if at < 0 else at + 1
        return self._cut(end if size < 0 else min(size, end))

    def _take_part(self) -> None:
        message = asyncio.run_coroutine_threadsafe(self._part(), self._loop).result()
        self._has_more = message.get("more_body", False)
        self._unread += message.get("body", b"")

    async def _part(self) -> dict[str, Any]:
        return await self._receive()

    def _cut(self, size: int) -> bytes:
        part = bytes(self._unread[:size])
        del self._unread[:size]
        return part
