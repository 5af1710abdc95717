"""A pooler in transaction mode, as small as can be: many clients take turns at one connection to Postgres.

It does what PgBouncer does with ``pool_mode = transaction``, ``default_pool_size = 1`` and
``ignore_startup_parameters = options``, so that the tests need no such program.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROTOCOL_3 = 196_608
SSL_REQUEST, GSS_REQUEST = 80_877_103, 80_877_104
READY, TERMINATE, SYNC, QUERY = b"Z", b"X", b"S", b"Q"

Message = tuple[bytes, bytes]


class TransactionPooler:
    """Listens at `port`; every transaction of every client goes to one backend."""

    def __init__(self, folder: Path, *, user: str, database: str) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.connect(str(folder / ".s.PGSQL.5432"))
        asked = f"user\0{user}\0database\0{database}\0\0".encode()
        self._server.sendall(struct.pack("!ii", len(asked) + 8, PROTOCOL_3) + asked)
        # What the server said to us, it would say to anyone.
        self._greeting = b"".join(kind + body for kind, body in _until_ready(self._server))
        self._turn = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Closed alone it would go on listening: the thread that accepts is inside of it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, EOFError):
            while struct.unpack("!i", _startup(client)[:4])[0] in {SSL_REQUEST, GSS_REQUEST}:
                client.sendall(b"N")
            client.sendall(self._greeting)
            while True:
                first = _message(client)
                if first[0] == TERMINATE:
                    return
                with self._turn:
                    self._transaction(client, first)

    def _transaction(self, client: socket.socket, message: Message) -> None:
        while True:
            kind, body = message
            self._server.sendall(kind + body)
            if kind in {SYNC, QUERY}:
                answer = list(_until_ready(self._server))
                client.sendall(b"".join(kind + body for kind, body in answer))
                if answer[-1][1][-1:] == b"I":
                    return
            message = _message(client)


@contextmanager
def pooler(folder: Path, *, user: str, database: str) -> Iterator[str]:
    """Run a pooler before the server whose socket is in `folder`; give the URL that leads through it."""
    running = TransactionPooler(folder, user=user, database=database)
    try:
        yield f"postgres://{user}@127.0.0.1:{running.port}/{database}"
    finally:
        running.close()


def _until_ready(server: socket.socket) -> Iterator[Message]:
    kind = b""
    while kind != READY:
        kind, body = _message(server)
        yield kind, body


def _message(source: socket.socket) -> Message:
    kind = _exactly(source, 1)
    size = _exactly(source, 4)
    return kind, size + _exactly(source, struct.unpack("!i", size)[0] - 4)


def _startup(client: socket.socket) -> bytes:
    return _exactly(client, struct.unpack("!i", _exactly(client, 4))[0] - 4)


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data
