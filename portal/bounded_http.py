"""HTTP/1.1 as uvicorn speaks it, with bounds for what comes before a request is known: its headers, and silence.

uvicorn limits neither the size of headers nor the wait for them, and its parser joins the pieces of a long one again
with each piece that arrives. Bodies are waited for elsewhere (`portal.slow_clients`); here only until somebody asks for
them.
"""

from __future__ import annotations

import json
from asyncio import TimerHandle, Transport
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# A request line with its headers; also what may come between two pieces of a body, or behind the last (trailers).
MAX_HEAD_BYTES = 32 * 1024
# How long a client may take for it, or keep a connection open on which it asks for nothing.
HEAD_SECONDS = 20.0
# Whoever is refused may still send for so long: closed at once, the connection would be reset, and the answer lost.
LINGER_SECONDS = 2.0
# The colon, blank and line break of a header.
PUNCTUATION_BYTES = 4


class HeadTooLarge(Exception):
    """The headers are longer than any client of ours would send."""


class BoundedProtocol(HttpToolsProtocol):
    """Answers 431 where headers are too large, 408 where they come too slowly, and closes what stays silent."""

    _deadline: TimerHandle | None = None
    # Bytes that came since the parser last brought something to an end.
    _unfinished = 0
    _has_finished = False
    _head_is_whole = False
    _head_is_too_large = False
    _is_refused = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._has_finished = False
        super().data_received(data)
        self._unfinished = 0 if self._has_finished else self._unfinished + len(data)
        if self.transport.is_closing() or self._is_refused:
            return
        if self._unfinished > MAX_HEAD_BYTES:
            self._refuse_size()
        elif self._is_idle() and self._deadline is None:
            self._expect_head()

    # --- What the parser tells ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._head_is_whole = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._has_finished = self._head_is_whole = True
        given = sum(len(name) + len(value) + PUNCTUATION_BYTES for name, value in self.headers)
        if len(self.url) + given > MAX_HEAD_BYTES:
            self._head_is_too_large = True
            # The parser stops, and `send_400_response` is called.
            raise HeadTooLarge
        self._forget_deadline()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._has_finished = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_finished = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._unfinished and self._is_idle() and not self.transport.is_closing() and self._deadline is None:
            # The next head began to come before this answer was complete.
            self._unset_keepalive_if_required()
            self._expect_head()

    def send_400_response(self, msg: str) -> None:
        if self._head_is_too_large:
            self._refuse_size()
        else:
            super().send_400_response(msg)

    # --- Bounds --------------------------------------------------------------------------------------

    def _is_idle(self) -> bool:
        """Return whether nothing of ours is under way: what comes is a head, or a body that nobody reads any more."""
        if self.transport.get_protocol() is not self:
            # A WebSocket now: the connection is another protocol's, which has bounds of its own.
            return False
        return self.cycle is None or self.cycle.response_complete

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._end_waiting)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_waiting(self) -> None:
        self._deadline = None
        if self.transport.is_closing() or not self._is_idle():
            return
        if self._unfinished and not self._head_is_whole:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "headers_too_slow", "The headers came too slowly.")
        else:
            self.transport.close()

    def _refuse_size(self) -> None:
        if not self._is_idle():
            # The trailers of a request that is being answered: no second answer fits here.
            self.transport.close()
            return
        most = f"A request line and its headers may have {MAX_HEAD_BYTES // 1024} kB together."
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", most)

    def _refuse(self, status: HTTPStatus, code: str, detail: str) -> None:
        """Answer with a problem (RFC 9457), read nothing more, and close soon."""
        self._is_refused = True
        self._forget_deadline()
        problem: dict[str, Any] = {"title": status.phrase, "status": int(status), "code": code, "detail": detail}
        body = json.dumps(problem).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
