"""A small server of models for what real ones do only by accident: busy, slow, broken off, wrong; and for images.

Each POST takes the next of `behaviours`, or answers well when there is none left.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import struct
import threading
import time
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

from tests.handlers.chat_server import STREAMS, piece
from tests.serving import serving


class FakeServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.behaviours: list[str] = []
        self.always = ""
        self.models: list[str] | None = ["test-model"]
        self.check_status = 200
        self.seconds = 0.0
        self.text = ""
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.traceparents: list[str | None] = []
        self.busy = self.most_busy = 0
        self.lock = threading.Lock()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def do_GET(self) -> None:
        if self.path == "/files/drawn.png":
            self._send(200, "image/png", picture())
        elif self.path == "/v1/models" and self.server.models is not None:
            self._json(self.server.check_status, {"data": [{"id": name} for name in self.server.models]})
        else:
            self._json(404, {"error": {"message": "nothing here"}})

    def do_POST(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with server.lock:
            server.busy += 1
            server.most_busy = max(server.most_busy, server.busy)
            server.keys.append(self.headers.get("Authorization"))
            server.traceparents.append(self.headers.get("traceparent"))
            server.bodies.append(json.loads(body) if body.startswith(b"{") else {"form": body})
            behaviour = server.behaviours.pop(0) if server.behaviours else server.always
        try:
            time.sleep(server.seconds)
            self._answer(behaviour)
        finally:
            with server.lock:
                server.busy -= 1

    def _answer(self, behaviour: str) -> None:
        what, _, rest = behaviour.partition(" ")
        if what.isdigit():
            headers = {"Retry-After": rest} if rest else {}
            self._json(int(what), {"error": {"message": "because of the moon"}}, headers)
        elif what == "closed":
            # A reset, as of a process that is killed.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif what == "truncated":
            self._send(200, "text/event-stream", STREAMS["broken off"].encode())
        elif what == "nonsense":
            self._send(200, "application/json", b"<html>it works</html>")
        elif self.path.endswith("/chat/completions"):
            self._send(200, "text/event-stream", self._stream())
        else:
            self._json(200, ANSWERS[self.path.removeprefix("/v1")](self.server))

    def _stream(self) -> bytes:
        if not self.server.text:
            return STREAMS["whole"].encode()
        return (piece(self.server.text) + piece(finish_reason="stop") + "data: [DONE]\n\n").encode()

    def _json(self, status: int, data: object, headers: dict[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(data).encode(), headers)

    def _send(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def picture(size: tuple[int, int] = (64, 64)) -> bytes:
    stored = io.BytesIO()
    Image.new("RGB", size, "teal").save(stored, "PNG")
    return stored.getvalue()


def _images(server: FakeServer) -> dict[str, Any]:
    asked = server.bodies[-1]
    coded = base64.b64encode(picture()).decode()
    if server.text == "by address":
        return {"data": [{"url": f"{server.root}/files/drawn.png"}]}
    if server.text == "elsewhere":
        return {"data": [{"url": "http://169.254.169.254/drawn.png"}]}
    if server.text == "no image":
        coded = base64.b64encode(b"<svg/>").decode()
    count = 1 if server.text == "one at a time" else asked["n"]
    return {"data": [{"b64_json": coded}] * count}


def _embeddings(server: FakeServer) -> dict[str, Any]:
    texts = server.bodies[-1]["input"]
    rows = [{"index": place, "embedding": [float(len(text)), 1.0]} for place, text in enumerate(texts)]
    return {"data": rows[:-1] if server.text == "one missing" else rows[::-1]}


def _transcript(server: FakeServer) -> dict[str, Any]:
    parts = [{"start": 0.0, "end": 1.5, "text": " Hello there."}]
    return {"text": " Hello there. ", "language": "en", "duration": 1.5, "segments": parts}


ANSWERS = {
    "/images/generations": _images,
    "/embeddings": _embeddings,
    "/audio/transcriptions": _transcript,
    "/score": lambda server: {"score": 7, "asked": server.bodies[-1]},
}


def running(port: int = 0) -> AbstractContextManager[FakeServer]:
    return serving(FakeServer(port))
