"""A reader of server-sent events over a raw socket, as strict as the standard, for tests."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tests.web.live import LiveServer


@dataclass(frozen=True)
class Event:
    """One event; `id` is the last event id of the stream by then."""

    name: str
    data: Any
    id: str


class EventSource:
    """One stream. `status` and `headers` (lower case) are of its answer."""

    def __init__(self, server: LiveServer, path: str, *, timeout: float = 20.0, **headers: str) -> None:
        self.wire = socket.create_connection(("127.0.0.1", server.port), timeout=timeout)
        given = {"Host": f"127.0.0.1:{server.port}", "Accept": "text/event-stream"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        self.wire.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        self._file = self.wire.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while line := self._file.readline().strip().decode():
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value
        self._text = b""
        self.comments: list[str] = []
        self.last_id = ""

    def __enter__(self) -> EventSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self.wire.close()

    def body(self) -> Any:
        """Return the JSON of an answer that is no stream."""
        return json.loads(self._file.read(int(self.headers["content-length"])))

    def next(self) -> Event | None:
        """Return the next event; None at the end of the stream."""
        while True:
            block = self._block()
            if block is None:
                return None
            fields: dict[str, str] = {}
            for line in block.split("\n"):
                name, _, value = line.partition(":")
                if name:
                    assert name in {"event", "data", "id", "retry"}, block
                    fields[name] = value.removeprefix(" ")
                else:
                    self.comments.append(value.strip())
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                return Event(fields.get("event", "message"), json.loads(fields["data"]), self.last_id)

    def until(self, name: str) -> list[Event]:
        """Return all events up to the first of this name."""
        found: list[Event] = []
        while not found or found[-1].name != name:
            event = self.next()
            assert event is not None, f"the stream ended without {name}: {found}"
            found.append(event)
        return found

    def _block(self) -> str | None:
        while b"\n\n" not in self._text:
            length = int(self._file.readline().strip() or b"0", 16)
            if length == 0:
                return None
            self._text += self._file.read(length)
            assert self._file.readline() == b"\r\n"
        block, _, self._text = self._text.partition(b"\n\n")
        return block.decode()
