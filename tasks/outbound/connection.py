"""Connections that go to checked addresses only and end at a deadline, however slowly the other side sends.

httpcore keeps the URL's host for the Host header, the server name (SNI) and the certificate; only
where the socket is connected to is decided here.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from tasks.outbound.guard import Target

CONNECT_SECONDS = 5.0


class Deadline:
    """A point in time by which everything must be over."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; never below zero."""
        return max(0.0, self._at - time.monotonic())


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to the target's checked addresses, one after the other, whatever host it is told."""

    def __init__(self, target: Target, deadline: Deadline) -> None:
        self._target = target
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in self._target.addresses:
            try:
                with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
                    seconds = min(CONNECT_SECONDS, _left(self._deadline))
                    connected = socket.create_connection((str(address), self._target.port), seconds)
                    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return DeadlineStream(connected, self._deadline)
            except (httpcore.ConnectTimeout, httpcore.ConnectError) as error:
                failure = error
        raise failure or httpcore.ConnectError("the host has no address")


class DeadlineStream(httpcore.NetworkStream):
    """A socket whose every operation gets only the time that is left."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _translated(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(_left(self._deadline))
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        with _translated(httpcore.WriteTimeout, httpcore.WriteError):
            while view:
                self._socket.settimeout(_left(self._deadline))
                view = view[self._socket.send(view) :]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
                # The time limit is of the whole handshake (CPython's _ssl.c), not of each read.
                self._socket.settimeout(_left(self._deadline))
                wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return DeadlineStream(wrapped, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        # httpcore asks for `ssl_object` to see whether HTTP/2 was agreed upon, which is never offered.
        return None


def _left(deadline: Deadline) -> float:
    left = deadline.left()
    if left == 0:
        # A time-out of zero would mean "do not block".
        raise TimeoutError
    return left


@contextmanager
def _translated(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise broken(str(error)) from error
