"""The one LISTEN connection of a web process, and the hub that hands its messages to whoever waits.

It lives in the event loop of the server. NOTIFY only says what changed; a listener reads it again.
After a lost connection notifications may be missing, so every listener is then told to read anew.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from django.db import connections
from psycopg import sql

from tasks import events

log = logging.getLogger(__name__)

Message = dict[str, Any]

# Sent in place of a task's message when some may have been missed.
READ_AGAIN: Message = {"id": None, "owner": None, "version": None, "status": None, "read_again": True}
# A subscriber that is so far behind is not reading at all.
MOST_UNREAD = 200
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
# A connection that died silently is noticed by asking it something this often.
CHECK_SECONDS = 20.0


class Dropped(Exception):
    """The subscriber read too slowly and was dropped; it starts over and reads anew."""


@dataclass(eq=False)
class Subscription:
    """Messages of one owner or one task, as an async iterator. Ends with `Dropped` when read too slowly."""

    owner_id: int | None
    task_id: str | None
    _unread: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue(MOST_UNREAD))
    _dropped: bool = False

    def wants(self, message: Message) -> bool:
        if self.task_id is not None:
            return bool(message["id"] == self.task_id)
        return bool(message["owner"] == self.owner_id)

    def put(self, message: Message) -> bool:
        """Hand over a message; False when the subscriber is too far behind."""
        try:
            self._unread.put_nowait(message)
        except asyncio.QueueFull:
            self._dropped = True
            return False
        return True

    async def get(self) -> Message:
        """Wait for the next message.

        Raises:
            Dropped: messages were lost because they were read too slowly.
        """
        if self._dropped:
            raise Dropped
        return await self._unread.get()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Message:
        return await self.get()


class Hub:
    """Listens while it is started; hands each message to the subscriptions it concerns."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._calls: dict[str, list[Callable[[str], None]]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        return self._connected.is_set()

    async def start(self) -> None:
        """Begin to listen; returns at once and connects behind the scenes, for as long as it takes."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen_forever(), name="listen")

    async def stop(self) -> None:
        """Stop listening and close the connection."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener

    async def wait_connected(self) -> None:
        """Wait until notifications arrive; what changes from then on is not missed."""
        await self._connected.wait()

    def call_on(self, channel: str, function: Callable[[str], None]) -> None:
        """Call a quick function with the payload of every notification on another channel. Before `start`."""
        self._calls.setdefault(channel, []).append(function)

    def count_of(self, owner_id: int) -> int:
        """Return how many subscriptions an owner holds, to limit them."""
        return sum(subscription.owner_id == owner_id for subscription in self._subscriptions)

    @asynccontextmanager
    async def subscribe(
        self, *, owner_id: int | None = None, task_id: UUID | str | None = None
    ) -> AsyncIterator[Subscription]:
        """Subscribe to the tasks of an owner, or to one task. Whether they may be seen is the caller's to check."""
        subscription = Subscription(owner_id, None if task_id is None else str(task_id))
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def _listen_forever(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    **connection_parameters(), autocommit=True
                ) as connection:
                    for channel in [events.TASK, *self._calls]:
                        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    self._connected.set()
                    pause = FIRST_PAUSE_SECONDS
                    self._publish(READ_AGAIN)
                    await self._read(connection)
            except (psycopg.Error, OSError) as error:
                log.warning("The LISTEN connection is lost, trying again: %s", error)
            finally:
                self._connected.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _read(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            async for notice in connection.notifies(timeout=CHECK_SECONDS):
                self._receive(notice.channel, notice.payload)
            await connection.execute("SELECT 1")

    def _receive(self, channel: str, payload: str) -> None:
        for function in self._calls.get(channel, []):
            function(payload)
        if channel != events.TASK:
            return
        try:
            message = json.loads(payload)
            _ = message["id"], message["owner"]
        except (ValueError, KeyError, TypeError):
            log.warning("A notification on %s cannot be read; it is left out.", channel)
            return
        self._publish(message)

    def _publish(self, message: Message) -> None:
        is_for_all = message is READ_AGAIN
        for subscription in [one for one in self._subscriptions if is_for_all or one.wants(message)]:
            if not subscription.put(message):
                self._subscriptions.discard(subscription)


def connection_parameters() -> dict[str, Any]:
    """Return psycopg's arguments for a connection of its own to Django's database, outside any pool."""
    parameters: dict[str, Any] = connections["default"].get_connection_params()
    for ours in ("context", "cursor_factory", "prepare_threshold", "pool"):
        parameters.pop(ours, None)
    # It waits for minutes without a statement; nothing may end it for that.
    parameters["application_name"] = "portal-listen"
    return parameters


hub = Hub()
