"""A TCP port before the database's socket, which can be closed, held, and made to lose answers."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connection, connections
from django.db.utils import ConnectionHandler

CHUNK = 65_536


class Proxy:
    """Forwards a TCP port of the loopback to the server's socket, while it is told to."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._open = True
        self._holding = False
        self._deaf = False
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def hold(self) -> None:
        """Forward nothing, and leave the connections as they are."""
        self._holding = True

    def refuse(self) -> None:
        """Break all connections; whoever comes is sent away until `serve`."""
        with self._lock:
            self._open = False
            for key in list(self._selector.get_map().values()):
                if key.data is not None:
                    self._drop(key.fileobj)  # type: ignore[arg-type]
        self._holding = False

    def serve(self) -> None:
        """Forward everything, also of those who come."""
        self._open = True
        self._deaf = False

    def swallow_answers(self) -> None:
        """From now on what clients say arrives, and what the server answers does not."""
        self._deaf = True

    def close(self) -> None:
        self._closed = True
        self._thread.join(10)
        self.refuse()
        self._listener.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._closed:
            if self._holding:
                time.sleep(0.02)
                continue
            events = self._selector.select(0.1)
            with self._lock:
                for key, _ in events:
                    self._accept() if key.data is None else self._forward(key)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if not self._open:
            client.close()
            return
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._target)
        except OSError:
            client.close()
            server.close()
            return
        self._selector.register(client, selectors.EVENT_READ, server)
        self._selector.register(server, selectors.EVENT_READ, client)

    def _forward(self, key: selectors.SelectorKey) -> None:
        source: socket.socket = key.fileobj  # type: ignore[assignment]
        if source.fileno() == -1:
            return  # its other half ended in this very round
        try:
            data = source.recv(CHUNK)
            if data and not (self._deaf and source.family == socket.AF_UNIX):
                key.data.sendall(data)
        except OSError:
            data = b""
        if not data:
            self._drop(source)

    def _drop(self, end: socket.socket) -> None:
        other = None
        with suppress(KeyError, ValueError):
            other = self._selector.unregister(end).data
        end.close()
        if other is not None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(other)
            other.close()


@contextmanager
def connected_through(proxy: Proxy) -> Iterator[None]:
    """Make Django's connection of this thread lead through the proxy."""
    direct = connections["default"]
    there = {"HOST": "127.0.0.1", "PORT": str(proxy.port)}
    connections["default"] = ConnectionHandler({"default": direct.settings_dict | there})["default"]
    try:
        connection.ensure_connection()
        yield
    finally:
        connections["default"].close()
        connections["default"] = direct
