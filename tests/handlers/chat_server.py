"""A small chat server for what the real one does only by accident: busy, broken off, wrong."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.serving import serving

PIECES = ["The ", "tide ", "turns."]


def piece(text: str = "", finish_reason: str | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    return f"data: {json.dumps({'model': 'test-model', 'choices': [choice], **more})}\n\n"


USAGE = f"data: {json.dumps({'choices': [], 'usage': {'prompt_tokens': 4, 'completion_tokens': 3}})}\n\n"
TEXT = "".join(piece(text) for text in PIECES)
STREAMS = {
    "whole": ": hello\n\n" + TEXT + piece(finish_reason="stop") + USAGE + "data: [DONE]\n\n",
    "without [DONE]": TEXT + piece(finish_reason="length"),
    "without finish_reason": TEXT + "data: [DONE]\n\n",
    "broken off": TEXT,
    "error": TEXT + 'data: {"error": {"message": "out of memory"}}\n\n',
    "nonsense": TEXT + "data: {nonsense\n\n",
    "no object": TEXT + "data: [1]\n\n",
}


class ChatServer(ThreadingHTTPServer):
    """Answers every chat with `stream`, or with `status` when that is an error; keeps the last request."""

    daemon_threads = True
    status = 200
    headers: dict[str, str] = {}
    stream = STREAMS["whole"]
    request_body: dict[str, Any] = {}

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_GET(self) -> None:
        self._answer(200, "application/json", json.dumps({"data": [{"id": "test-model"}]}))

    def do_POST(self) -> None:
        self.server.request_body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self._answer(200, "text/event-stream", self.server.stream)
        else:
            self._answer(self.server.status, "application/json", '{"error": {"message": "because of the moon"}}')

    def _answer(self, status: int, content_type: str, body: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def running_chat_server() -> AbstractContextManager[ChatServer]:
    return serving(ChatServer(("127.0.0.1", 0), Handler))
