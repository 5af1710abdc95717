"""`AsyncClient` behind the face of `Client`, so that one scenario tests both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from types import TracebackType
from typing import Any

from tasks.client import AsyncClient, Client

END = object()
Connect = Callable[..., Client]


class Awaited:
    """Awaits each call of an `AsyncClient`, in an event loop that goes on from call to call."""

    verify_webhook = staticmethod(AsyncClient.verify_webhook)

    def __init__(self, url: str, token: str, **options: Any) -> None:
        self._loop = asyncio.Runner()
        self._client = AsyncClient(url, token, **options)
        self._sender = self._client._sender

    def __enter__(self) -> Awaited:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._loop.run(self._client.close())
        self._loop.close()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        asked = getattr(self._client, name)

        def call(*arguments: Any, **named: Any) -> Any:
            made = asked(*arguments, **named)
            return self._walk(made) if isinstance(made, AsyncGenerator) else self._loop.run(made)

        return call

    def _walk(self, items: AsyncGenerator[Any]) -> Generator[Any]:
        async def step() -> Any:
            return await anext(items, END)

        try:
            while (item := self._loop.run(step())) is not END:
                yield item
        finally:
            self._loop.run(_close(items))


async def _close(items: AsyncGenerator[Any]) -> None:
    await items.aclose()
