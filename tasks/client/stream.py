"""Server-sent events: reads them, and goes on where it was when the connection breaks.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from .errors import PortalError
from .sending import Sender, pause_before_retry

# The portal sends a heartbeat every 15 seconds; longer silence is a dead connection.
SILENCE_SECONDS = 45.0


@dataclass(frozen=True)
class Event:
    """What the portal told.

    `name` is task or done (`data` is the whole task), or progress, log or output (`data` is
    ``{"id", "event", "attempt", "data": {…}, "created_at"}``, with ``"task"`` in the stream of all tasks), or reset
    (too much was missed: list the tasks). `id` is the place from which a later stream goes on (`last_event_id`).
    """

    id: str
    name: str
    data: Any


async def follow(
    sender: Sender, path: str, *, last_event_id: str = "", until_done: bool = False
) -> AsyncGenerator[Event]:
    """Yield the events of a stream, across broken connections; with `until_done` up to the event done.

    Raises:
        PortalError: the stream is refused.
        httpx.TransportError: the portal cannot be reached any more.
    """
    failures, reader = 0, EventReader(last_event_id)
    while True:
        broken: Exception = httpx.RemoteProtocolError("The stream ended.")
        try:
            # `aclosing`: whoever stops reading in the middle gives the connection back at once.
            async with aclosing(_connect(sender, path, reader)) as events:
                async for event in events:
                    failures = 0
                    yield event
                    if until_done and event.name == "done":
                        return
        except (httpx.TransportError, PortalError) as error:
            broken = error
        failures += 1
        pause = pause_before_retry(broken, failures)
        if pause is None:
            raise broken
        await sender.wire.pause(max(pause, reader.retry_seconds if failures == 1 else 0.0))


async def _connect(sender: Sender, path: str, reader: EventReader) -> AsyncGenerator[Event]:
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    if reader.last_event_id:
        headers["Last-Event-ID"] = reader.last_event_id
    async with sender.open_once("GET", path, headers=headers, longer=SILENCE_SECONDS) as answer:
        content_type = answer.headers.get("Content-Type", "")
        if not content_type.startswith("text/event-stream"):
            detail = f"{answer.url} answered with {content_type or 'nothing'} instead of events."
            raise PortalError(answer.status_code, {"detail": detail})
        reader.begin()
        async for chunk in sender.wire.chunks(answer):
            for event in reader.read(chunk):
                yield event


class Lines:
    r"""Cuts bytes into lines that end with LF, CR or CRLF, and with nothing else.

    `httpx.Response.iter_lines` would also cut at U+2028 and others, which JSON may hold.

    >>> lines = Lines()
    >>> [*lines.add(b"a\r"), *lines.add(b"\nb\n\xe2\x80\xa8c\r\r")] == ["a", "b", "\u2028c", ""]
    True
    """

    def __init__(self) -> None:
        self._rest, self._after_cr = b"", False

    def add(self, chunk: bytes) -> list[str]:
        """Return the lines that are complete now."""
        if not chunk:
            return []
        # A CRLF that two chunks share ended its line with the first of them.
        fresh = chunk[1:] if self._after_cr and chunk.startswith(b"\n") else chunk
        self._after_cr = chunk.endswith(b"\r")
        *lines, self._rest = (self._rest + fresh).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]


@dataclass
class EventReader:
    """Makes events of bytes; remembers the last id and the pause that the server wishes before reconnecting."""

    last_event_id: str = ""
    retry_seconds: float = 0.0
    _id: str = ""
    _name: str = ""
    _data: list[str] = field(default_factory=list)
    _lines: Lines = field(default_factory=Lines)

    def begin(self) -> None:
        """Begin a connection anew; what the last one broke off is dropped, as the format wants it."""
        self._id, self._name, self._data, self._lines = self.last_event_id, "", [], Lines()

    def read(self, chunk: bytes) -> Iterator[Event]:
        """Yield each event that is complete now."""
        for line in self._lines.add(chunk):
            if line:
                self._take(line)
                continue
            # Not before the event is complete: a broken connection must not lose what its id stands for.
            self.last_event_id = self._id
            if self._data:
                yield Event(self._id, self._name or "message", json.loads("\n".join(self._data)))
            self._name, self._data = "", []

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry_seconds = int(value) / 1000
            # A comment (a line that begins with a colon) is the heartbeat; other fields are ignored.
