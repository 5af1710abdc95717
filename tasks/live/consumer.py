"""The WebSocket of the portal's pages: what happens to the tasks of the signed-in user."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from accounts.second_factor import lacks_factor
from tasks.live.hub import Dropped, Message, Subscription, hub

# Close codes of ours (RFC 6455: 4000–4999 are free to use).
NOT_SIGNED_IN = 4401
TOO_MANY = 4429
START_OVER = 4408

MOST_SOCKETS = 30
# A session may end and an account be disabled: a page connects again this often, and is asked who it is.
LONGEST_SECONDS = 600.0


class TaskConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """``/ws/tasks``: sends {"id", "version", "status", "kind"?} or {"read_again": true}; listens to nothing."""

    _sender: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        user = self.scope["user"]
        # Accepted first: a browser is told a close code only of an open socket.
        await self.accept()
        if (
            not user.is_authenticated
            or not user.is_active
            or (user.is_staff and await database_sync_to_async(lacks_factor)(user))
        ):
            await self.close(NOT_SIGNED_IN)
        elif hub.count_of(user.pk) >= MOST_SOCKETS:
            await self.close(TOO_MANY)
        else:
            self._sender = asyncio.create_task(self._send_messages(user.pk))

    async def disconnect(self, code: int) -> None:
        if self._sender is not None:
            self._sender.cancel()
            with suppress(asyncio.CancelledError):
                await self._sender

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Nothing that a page says is listened to."""

    async def _send_messages(self, user_id: int) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS), hub.subscribe(owner_id=user_id) as messages:
                await self._forward(messages)
        except (Dropped, TimeoutError):
            await self.close(START_OVER)

    async def _forward(self, messages: Subscription) -> None:
        async for message in messages:
            await self.send_json(_without_owner(message))


def _without_owner(message: Message) -> Message:
    return {name: value for name, value in message.items() if name != "owner" and value is not None}
