"""The one LISTEN connection of a web process, and the hub that hands its messages to whoever waits.

It lives in the event loop of the server; under a WSGI server, in a thread of its own. NOTIFY only says
what changed; a listener reads it again. After a lost connection notifications may be missing, so every
listener is then told to read anew.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import psycopg
from psycopg import sql

from tasks.direct import connection_parameters, leave_former_primary
from tasks.live import channels

log = logging.getLogger(__name__)

Message = dict[str, Any]

# Sent in place of a task's message when some may have been missed.
READ_AGAIN: Message = {"id": None, "owner": None, "version": None, "status": None, "read_again": True}
# A subscriber that is so far behind is not reading at all.
MOST_UNREAD = 200
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
# A connection that died silently, or leads to a former primary, is noticed by asking it something this often.
CHECK_SECONDS = 5.0


class Dropped(Exception):
    """The subscriber read too slowly and was dropped; it starts over and reads anew."""


class Listener(Protocol):
    """Whoever wants the messages of one task, or else of one owner. `put` may not wait; False: it wants no more."""

    @property
    def owner_id(self) -> int | None: ...

    @property
    def task_id(self) -> str | None: ...

    def put(self, message: Message) -> bool: ...


@dataclass(eq=False)
class Subscription:
    """Messages of one owner or one task, as an async iterator. Ends with `Dropped` when read too slowly."""

    owner_id: int | None
    task_id: str | None
    _unread: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue(MOST_UNREAD))
    _dropped: bool = False

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
        # By task or by owner, so that a message costs nothing for those whom it does not concern.
        self._listeners: defaultdict[str | int | None, set[Listener]] = defaultdict(set)
        self._calls: dict[str, list[Callable[[str], None]]] = {}
        self._after_outage: list[Callable[[], None]] = []
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

    def call_after_outage(self, function: Callable[[], None]) -> None:
        """Call a function in a thread whenever the database is back after it was away. Before `start`."""
        self._after_outage.append(function)

    def count_of(self, owner_id: int) -> int:
        """Return how many subscriptions an owner holds, to limit them."""
        return sum(isinstance(listener, Subscription) for listener in self._listeners.get(owner_id, ()))

    @asynccontextmanager
    async def subscribe(
        self, *, owner_id: int | None = None, task_id: UUID | str | None = None
    ) -> AsyncIterator[Subscription]:
        """Subscribe to the tasks of an owner, or to one task. Whether they may be seen is the caller's to check."""
        subscription = Subscription(owner_id, None if task_id is None else str(task_id))
        with self.attach(subscription):
            yield subscription

    @contextmanager
    def attach(self, listener: Listener) -> Iterator[None]:
        """Hand a listener what concerns it from now on. In the event loop of the hub."""
        self._listeners[_key(listener)].add(listener)
        try:
            yield
        finally:
            self._detach(listener)

    def _detach(self, listener: Listener) -> None:
        key = _key(listener)
        self._listeners[key].discard(listener)
        if not self._listeners[key]:
            del self._listeners[key]

    def listen_in_thread(self) -> None:
        """Listen in a thread with an event loop of its own, where the server has none. The functions run there."""

        async def listen() -> None:
            await self.start()
            await asyncio.Event().wait()

        threading.Thread(target=lambda: asyncio.run(listen()), name="listen", daemon=True).start()

    async def _listen_forever(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        was_lost = False
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    **connection_parameters(), autocommit=True
                ) as connection:
                    for channel in [channels.TASK, *self._calls]:
                        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    self._connected.set()
                    pause = FIRST_PAUSE_SECONDS
                    if was_lost:
                        # Before listeners are told to read: they would read by what the outage left behind.
                        await self._tell_outage_is_over()
                    self._publish(READ_AGAIN)
                    await self._read(connection)
            except (psycopg.Error, OSError) as error:
                log.warning("The LISTEN connection is lost, trying again: %s", error)
            finally:
                self._connected.clear()
                was_lost = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _tell_outage_is_over(self) -> None:
        for function in self._after_outage:
            await asyncio.to_thread(function)

    async def _read(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            async for notice in connection.notifies(timeout=CHECK_SECONDS):
                self._receive(notice.channel, notice.payload)
            await connection.execute("SELECT 1")
            leave_former_primary(connection)

    def _receive(self, channel: str, payload: str) -> None:
        for function in self._calls.get(channel, []):
            function(payload)
        if channel != channels.TASK:
            return
        try:
            messages = channels.messages_in(payload)
            _ = [(message["id"], message["owner"]) for message in messages]
        except (ValueError, KeyError, TypeError):
            log.warning("A notification on %s cannot be read; it is left out.", channel)
            return
        for message in messages:
            self._publish(message)

    def _publish(self, message: Message) -> None:
        if message is READ_AGAIN:
            concerned = [listener for listeners in self._listeners.values() for listener in listeners]
        else:
            keys = (message["id"], message["owner"])
            concerned = [listener for key in keys for listener in self._listeners.get(key, ())]
        for listener in concerned:
            if not listener.put(message):
                self._detach(listener)


def _key(listener: Listener) -> str | int | None:
    return listener.task_id if listener.task_id is not None else listener.owner_id


hub = Hub()
