"""The two ways out to a portal: one that blocks its thread, and one that lets an event loop go on.

Both have the same coroutines, so that everything above them is written once. Those of the blocking wire never wait
for an event loop: whoever runs them needs none (`written_once`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, BinaryIO, Protocol, TypeVar

import httpx

T = TypeVar("T")
CHUNK = 65_536


class Wire(Protocol):
    """What the client needs of the world."""

    async def send(self, method: str, path: str, **request: Any) -> httpx.Response: ...

    def open(self, method: str, path: str, **request: Any) -> AbstractAsyncContextManager[httpx.Response]:
        """Send, and hand out the answer before its body was read."""

    async def read(self, answer: httpx.Response) -> bytes:
        """Read the body of an open answer."""

    def chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        """Yield the body of an open answer as it comes."""

    def content_of(self, file: BinaryIO) -> Any:
        """Return what httpx sends as the body: the file from where it is to its end."""

    async def pause(self, seconds: float) -> None: ...

    async def on_disk(self, work: Callable[[], T]) -> T:
        """Do something that waits for a disk."""

    async def close(self) -> None: ...


class BlockingWire:
    def __init__(self, **options: Any) -> None:
        self._http = httpx.Client(**options)

    async def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self._http.request(method, path, **request)

    @asynccontextmanager
    async def open(self, method: str, path: str, **request: Any) -> AsyncIterator[httpx.Response]:
        with self._http.stream(method, path, **request) as answer:
            yield answer

    async def read(self, answer: httpx.Response) -> bytes:
        return answer.read()

    async def chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        for chunk in answer.iter_bytes():
            yield chunk

    def content_of(self, file: BinaryIO) -> Any:
        return file

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - it shall block

    async def on_disk(self, work: Callable[[], T]) -> T:
        return work()

    async def close(self) -> None:
        self._http.close()


class AsyncWire:
    def __init__(self, **options: Any) -> None:
        self._http = httpx.AsyncClient(**options)

    async def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        return await self._http.request(method, path, **request)

    def open(self, method: str, path: str, **request: Any) -> AbstractAsyncContextManager[httpx.Response]:
        return self._http.stream(method, path, **request)

    async def read(self, answer: httpx.Response) -> bytes:
        return await answer.aread()

    def chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        return answer.aiter_bytes()

    async def content_of(self, file: BinaryIO) -> AsyncIterator[bytes]:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)

    async def close(self) -> None:
        await self._http.aclose()
