"""The life of a stream: waits, reads, writes, and asks again and again whether the caller still may."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from django.db import InterfaceError, OperationalError

from tasks.api.streams.wake import Wake, Woken
from tasks.api.streams.wire import Over, Wire

logger = logging.getLogger(__name__)

BEAT_SECONDS = 15.0
# Should a notification be lost, everything is read anyway this often.
LOOK_SECONDS = 60.0
# The database is away: the notification that it is back may be missed.
RETRY_SECONDS = 1.0


class Following(Protocol):
    """What a stream tells."""

    @property
    def moves_unheard(self) -> bool:
        """Whether something of it changes without a message: then it is read with each sign of life."""

    async def tell(self, woken: Woken, *, look: bool) -> bool:
        """Send what is new. `look`: read everything, whatever was told. False: the stream is at its end."""


async def follow(following: Following, wake: Wake, wire: Wire, may_go_on: Callable[[], Awaitable[bool]]) -> None:
    """Tell what happens until the end, until the client left, or until the caller may no longer see it."""
    loop = asyncio.get_running_loop()
    beat_at, look_at = loop.time() + BEAT_SECONDS, loop.time() + LOOK_SECONDS
    woken, look, pause = Woken(), True, BEAT_SECONDS
    while not wake.ended:
        try:
            if (woken or look) and not await following.tell(woken, look=look or woken.read_again):
                return
            look, pause = False, BEAT_SECONDS
        except Over:
            return
        except (OperationalError, InterfaceError) as error:
            # Nothing was sent of what could not be read: it is read again.
            logger.warning("A stream waits for the database: %s", error)
            look, pause = True, RETRY_SECONDS
        woken = await wake.wait(min(pause, beat_at - loop.time()))
        is_beat = loop.time() >= beat_at
        if (is_beat or woken.check_caller) and not wake.ended and not await may_go_on():
            return
        if is_beat:
            look = look or following.moves_unheard or loop.time() >= look_at
            look_at = loop.time() + LOOK_SECONDS if look else look_at
            await wire.beat()
            beat_at = loop.time() + BEAT_SECONDS
