"""Round trips to Postgres, counted on the wire between the processes and the server: whatever library sends them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connection, connections
from django.db.utils import ConnectionHandler

from tasks.lifecycle.submit import submit_batch, submit_task
from tests.bench import processes, queueing, scene
from tests.bench.figures import Figures
from tests.bench.scene import ONE, Scene
from tests.bench.wanted import Sizes

CHUNK = 65_536
TASKS = 300


class Wire:
    """A port before the server that counts, over all connections, how often a client speaks after it was answered."""

    def __init__(self) -> None:
        self.trips = 0
        settings = connection.settings_dict
        self._target = f"{settings['HOST']}/.s.PGSQL.{settings['PORT'] or 5432}"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Closed alone it would go on listening: the thread that accepts is inside of it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                answered = threading.Event()
                answered.set()
                threading.Thread(target=self._ask, args=[client, server, answered], daemon=True).start()
                threading.Thread(target=self._answer, args=[server, client, answered], daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, answered: threading.Event) -> None:
        for data in _received(client):
            if answered.is_set():
                answered.clear()
                self.trips += 1
            server.sendall(data)
        _end(server)

    def _answer(self, server: socket.socket, client: socket.socket, answered: threading.Event) -> None:
        for data in _received(server):
            answered.set()
            client.sendall(data)
        _end(client)


def _received(end: socket.socket) -> Iterator[bytes]:
    with suppress(OSError):
        while data := end.recv(CHUNK):
            yield data


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def measure_trips(figures: Figures, place: Scene, sizes: Sizes, *, held: int) -> None:
    """Submit and drain by way of the port. Nothing is timed here: it slows all of them."""
    if not str(connection.settings_dict["HOST"]).startswith("/"):
        print("round trips are counted only where Postgres is reached by its socket: left out")
        return
    wire = Wire()
    try:
        with _through(wire):
            submit_task(place.free, scene.noop())  # connects, and fills the caches
            before = wire.trips
            for _ in range(sizes.submits):
                submit_task(place.free, scene.noop())
            figures.add("trips_enqueue", (wire.trips - before) / sizes.submits, held=held)
            before = wire.trips
            submit_batch(place.free, [scene.noop()] * queueing.BULK)
            figures.add("trips_bulk", wire.trips - before, held=held)
        url = f"postgres://{connection.settings_dict['USER']}@/{connection.settings_dict['NAME']}"
        with processes.node(DATABASE_URL=f"{url}?host=127.0.0.1&port={wire.port}"):
            queueing.work_off(scene.NOW)
            queueing.fill(ONE, [place.one], TASKS)
            before = wire.trips
            queueing.drain(ONE, place.one, TASKS)
            figures.add("trips_drain", (wire.trips - before) / TASKS, held=held)
    finally:
        wire.close()


@contextmanager
def _through(wire: Wire) -> Iterator[None]:
    """Make Django's connection of this thread lead through the port."""
    direct = connections["default"]
    there = {"HOST": "127.0.0.1", "PORT": str(wire.port)}
    connections["default"] = ConnectionHandler({"default": direct.settings_dict | there})["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = direct
