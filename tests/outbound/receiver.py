"""A small server on the loopback interface that answers as told and keeps what it was sent."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.serving import serving

ANY_PORT_OF_LOOPBACK = "127.0.0.1:*"


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[["Handler"], object]


class Receiver(ThreadingHTTPServer):
    """Answers 204, or what `answer` writes."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), Handler)
        self.received: list[Received] = []
        self.answer: Answer = answer_with(204)
        # Set when the test is over: what hangs may end.
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Callable[[], None]:
        # One answer to every method that HTTP has.
        if name.startswith("do_"):
            return self.take
        raise AttributeError(name)

    def take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Received(self.command, self.path, headers, body))
        self.server.answer(self)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def answer_with(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer this; underscores in names of headers stand for hyphens."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if status != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    return answer


def hang(handler: Handler) -> None:
    """Say nothing until the test is over."""
    handler.server.over.wait(600)
    handler.close_connection = True


def running_receiver(host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> AbstractContextManager[Receiver]:
    server = Receiver(host)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    return serving(server, at_the_end=server.over.set)
