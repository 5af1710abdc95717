"""Runs Django's WSGI handler in threads for an ASGI server, with one change to a thread and one back.

A general bridge (a2wsgi) hands each message of an answer to the event loop by itself and waits until it is taken: that
took longer than what Django does for a poll. Here the thread brings an answer that is whole in one piece; only what
streams is handed over part by part, as fast as the client takes it.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote_from_bytes

from portal.request_body import Body

Scope = dict[str, Any]
Environ = dict[str, Any]
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
WsgiApplication = Callable[[Environ, Callable[..., object]], Iterable[bytes]]

# These two have no prefix (PEP 3333).
PLAIN_NAMES = {"content-length": "CONTENT_LENGTH", "content-type": "CONTENT_TYPE"}


class ThreadedWsgi:
    """Answers HTTP requests by a WSGI application whose answers are Django's responses."""

    def __init__(self, application: WsgiApplication, *, threads: int) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="web")

    async def __call__(self, scope: Scope, body: Body, send: Send) -> None:
        loop = asyncio.get_running_loop()
        answering = _Answering(loop, send)
        context = contextvars.copy_context()
        run = answering.run, self._application, environ_of(scope, body)
        for message in await loop.run_in_executor(self._threads, context.run, *run):
            await send(message)


class _Answering:
    """One answer, made in a thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        self._loop = loop
        self._send = send
        self._start: Message = {}

    def run(self, application: WsgiApplication, environ: Environ) -> list[Message]:
        """Make the answer; return what of it is still to be sent."""
        answer: Any = application(environ, self._begin)
        try:
            if not getattr(answer, "streaming", True):
                return [self._start, {"type": "http.response.body", "body": answer.content}]
            return self._stream(answer)
        finally:
            # Gives the database connection back, before anybody waits for the client.
            getattr(answer, "close", lambda: None)()

    def _begin(self, status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
        pairs = [(name.lower().encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers]
        self._start = {"type": "http.response.start", "status": int(status.partition(" ")[0]), "headers": pairs}

    def _stream(self, parts: Iterable[bytes]) -> list[Message]:
        has_begun = False
        for part in parts:
            if not has_begun:
                self._wait_for(self._start)
                has_begun = True
            self._wait_for({"type": "http.response.body", "body": part, "more_body": True})
        return [{"type": "http.response.body", "body": b""}] if has_begun else [self._start, _EMPTY]

    def _wait_for(self, message: Message) -> None:
        """Have the event loop send a message; the thread goes on when the server takes more."""
        asyncio.run_coroutine_threadsafe(self._sent(message), self._loop).result()

    async def _sent(self, message: Message) -> None:
        await self._send(message)


_EMPTY: Message = {"type": "http.response.body", "body": b""}


def environ_of(scope: Scope, body: Body) -> Environ:
    """Return a request as WSGI has it (PEP 3333); the ASGI scope is in `asgi.scope`.

    Header names with an underscore are dropped: CGI cannot tell ``X_Forwarded_Proto`` from
    ``X-Forwarded-Proto``, which only a proxy may set. A query with raw bytes is percent-encoded.
    """
    query: bytes = scope["query_string"]
    if not query.isascii():
        query = quote_from_bytes(query, safe="%&=+;,/?:@!$'()*[]~-._").encode()
    server, port = scope.get("server") or ("localhost", 80)
    environ: Environ = {
        "asgi.scope": scope,
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": query.decode("ascii"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server,
        "SERVER_PORT": str(port or 0),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        address, client_port = scope["client"]
        environ |= {"REMOTE_ADDR": address, "REMOTE_PORT": str(client_port)}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        if "_" in name:
            continue
        key = PLAIN_NAMES.get(name) or "HTTP_" + name.upper().replace("-", "_")
        value = raw_value.decode("latin-1")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ
