"""Notices that a client went away while its request waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tasks.api.streams.ask import Receive
from tasks.api.streams.wake import Wake


@asynccontextmanager
async def when_gone(receive: Receive, wake: Wake) -> AsyncIterator[None]:
    """End the waiting when the client disconnects. The body must have been read before."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        wake.end()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
