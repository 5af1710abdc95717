"""The two clients: the same methods, of one that blocks and one that is awaited."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from .account import Account
from .batches import Batches
from .files import Files
from .schedules import Schedules
from .sending import Sender
from .shares import Shares
from .tasks import Tasks
from .webhooks import Webhooks
from .wire import AsyncWire, BlockingWire
from .written_once import Awaiting, Blocking, finish


class Everything(Tasks, Batches, Files, Schedules, Shares, Webhooks, Account):
    """All that can be asked of a portal.

    Whatever may be repeated is repeated while the portal is away or asks for patience (429, 502, 503, 504),
    after the time that it names; what makes something, under one idempotency key. What it refuses is raised as a
    `PortalError`, a class for each problem code (`errors`); where it cannot be reached, as `httpx.TransportError`.
    """


class Client(Everything, Blocking):
    """Talks to one portal with one token. Each thread needs one of its own."""

    def __init__(self, url: str, token: str, *, timeout: float = 30.0) -> None:
        """`timeout` is of one request, in seconds."""
        self._sender = Sender(BlockingWire(**_options(url, token)), timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        finish(self._sender.wire.close())


class AsyncClient(Everything, Awaiting):
    """Talks to one portal with one token, beside whatever else its event loop does; many calls may be under way."""

    def __init__(self, url: str, token: str, *, timeout: float = 30.0) -> None:
        """`timeout` is of one request, in seconds."""
        self._sender = Sender(AsyncWire(**_options(url, token)), timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._sender.wire.close()


def _options(url: str, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return {"base_url": url.rstrip("/"), "headers": headers}
