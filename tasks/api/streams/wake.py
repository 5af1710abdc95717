"""Waking a request that waits: for a message about its tasks, a revoked token, a client that left, the server's end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import ClassVar

from tasks.live.hub import READ_AGAIN, Message, hub

# A stream that is so far behind with reading is ended; its client resumes it.
MOST_PENDING = 2000


@dataclass(frozen=True)
class Woken:
    """What happened since the last wait: the statuses told, by task."""

    told: dict[str, set[str]] = field(default_factory=dict)
    read_again: bool = False
    check_caller: bool = False

    def __bool__(self) -> bool:
        return bool(self.told) or self.read_again or self.check_caller


@dataclass(eq=False)
class Wake:
    """A listener of the hub for one task or one owner. Messages are merged: a slow client costs no memory."""

    owner_id: int | None = None
    task_id: str | None = None
    token_id: str | None = None
    ended: bool = False
    _woken: Woken = field(default_factory=Woken)
    _event: asyncio.Event = field(default_factory=asyncio.Event)
    _all: ClassVar[set[Wake]] = set()

    @contextmanager
    def listening(self) -> Iterator[Wake]:
        """Be told from now on."""
        with hub.attach(self):
            Wake._all.add(self)
            try:
                yield self
            finally:
                Wake._all.discard(self)

    def put(self, message: Message) -> bool:
        told = self._woken.told
        if message is READ_AGAIN:
            self._wake(read_again=True)
        elif len(told) >= MOST_PENDING and message["id"] not in told:
            self.end()
            return False
        else:
            told.setdefault(message["id"], set()).add(message.get("status") or "")
            self._event.set()
        return True

    def end(self) -> None:
        """Stop waiting for good."""
        self.ended = True
        self._event.set()

    async def wait(self, seconds: float) -> Woken:
        """Wait for something to happen, this long at most; return what did."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._event.wait()
        self._event.clear()
        woken, self._woken = self._woken, Woken()
        if self.ended:
            self._event.set()
        return woken

    def _wake(self, *, read_again: bool = False, check_caller: bool = False) -> None:
        self._woken = Woken(
            self._woken.told, self._woken.read_again or read_again, self._woken.check_caller or check_caller
        )
        self._event.set()

    @classmethod
    def end_all(cls) -> None:
        """The server stops."""
        for one in list(cls._all):
            one.end()

    @classmethod
    def check_token(cls, token_id: str) -> None:
        """A token was revoked or changed: its requests ask again whether they may go on."""
        for one in cls._all:
            if one.token_id == token_id:
                one._wake(check_caller=True)
