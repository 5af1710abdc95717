"""Asks the ordinary views, in a thread, on behalf of a request that waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from tasks.api.authentication import HANDOVER
from tasks.api.streams.handover import Handover

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

OF_THE_BODY = {b"content-length", b"content-type", b"transfer-encoding"}


@dataclass(frozen=True)
class Answer:
    """An answer of a view, whole."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> str | None:
        return next((value.decode("latin-1") for given, value in self.headers if given == name), None)

    def with_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> Answer:
        """Return it with these headers in place of its own of the same names."""
        added = list(headers)
        names = {name for name, _ in added}
        return replace(self, headers=[pair for pair in self.headers if pair[0] not in names] + added)

    async def send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


async def ask(views: Application, scope: Scope, handover: Handover, receive: Receive | None = None) -> Answer:
    """Send a request through all middleware to its view, and return the answer."""
    started: dict[str, Any] = {}
    parts: list[bytes] = []

    async def collect(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            parts.append(message.get("body", b""))

    await views(scope | {HANDOVER: handover}, receive or _no_body, collect)
    return Answer(started["status"], list(started["headers"]), b"".join(parts))


def reading(scope: Scope, path: str | None = None) -> Scope:
    """Return the scope of a plain GET by the same caller: of the same address, or of another path."""
    kept = [(name, value) for name, value in scope["headers"] if name not in OF_THE_BODY | {b"prefer"}]
    if path is None:
        return scope | {"headers": kept}
    kept = [pair for pair in kept if pair[0] not in {b"if-none-match", b"idempotency-key", b"accept"}]
    return scope | {"method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": kept}


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
