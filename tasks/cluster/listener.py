"""The pusher's LISTEN connection: wakes it when tasks become ready, takes cancellations and operators' questions."""

from __future__ import annotations

import json
import logging
import os
import select
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg

from tasks.cluster.node import Node
from tasks.cluster.stacks import answer_soon
from tasks.direct import connection_parameters
from tasks.live import channels

logger = logging.getLogger(__name__)


class Line:
    """One connection that does nothing but listen, and the pipe by which workers say that they are idle."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._connection = _connect()

    def wait(self, seconds: float) -> bool:
        """Return when something happened, or after `seconds`: whether tasks of this node's cluster became ready.

        Cancellations are noted in shared memory; a stack that an operator asked for is sent by a thread of its own.

        Raises:
            psycopg.OperationalError: the connection is gone; make a new Line and look at the tables again.
        """
        select.select([self._connection.fileno(), self._node.wake_reader], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self._node.wake_reader, 4096)
        is_ready = False
        for notice in self._connection.notifies(timeout=0):
            if notice.channel == channels.CANCEL:
                self._take_cancel(notice.payload)
            elif notice.channel == channels.STACK:
                answer_soon(self._node, notice.payload)
            else:
                is_ready |= notice.payload == self._node.cluster
        return is_ready

    def _take_cancel(self, payload: str) -> None:
        call = json.loads(payload)
        if call["node"] == str(self._node.id):
            self._node.memory.request_cancel(UUID(call["token"]))


def _connect() -> psycopg.Connection[Any]:
    raw = psycopg.connect(**connection_parameters(), autocommit=True)
    for channel in (channels.READY, channels.CANCEL, channels.STACK):
        raw.execute(f"LISTEN {channel}")
    return raw
