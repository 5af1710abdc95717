"""Measures the API over one kept connection, under each server that we name: wall time, and CPU time of the server."""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from accounts.tokens import create_token
from portal.launch.run.ports import free_port
from tasks.lifecycle.submit import submit_task
from tasks.models import Task
from tests.bench import limits, processes, scene
from tests.bench.figures import Figures
from tests.bench.scene import Scene
from tests.bench.wanted import Sizes

# As the units in deploy/ start them, in one process; web with what it runs on, uvicorn.
LEAN = ("--http", "1", "--no-ws", "--blocking-threads", "8", "--backpressure", "64", "--log-level", "error")
GRANIAN = ("granian", "--interface", "wsgi", *LEAN)
SERVERS = {
    "granian": (*GRANIAN, "portal.wsgi:application"),
    "uvicorn": ("portal.web_server",),
}
BARE = {
    "granian": (*GRANIAN, "tests.bench.bare_view:wsgi"),
    "uvicorn": ("uvicorn", "--log-level", "error", "--no-access-log", "tests.bench.bare_view:asgi"),
}
WARM_UP = 20


@dataclass(frozen=True)
class Measured:
    """Seconds that the client waited, each time; and of the server's CPU, on average."""

    seconds: list[float]
    cpu_seconds: float


class Api:
    """One kept connection to a server with a token."""

    def __init__(self, port: int, token: str, server: psutil.Process) -> None:
        self._wire = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._server = server

    def request(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Send a request and read its answer; its body is in `answer.content`."""
        self._wire.request(method, path, body, self._headers | dict(headers or {}))
        answer = self._wire.getresponse()
        answer.content = answer.read()  # type: ignore[attr-defined]
        return answer

    def measure(self, status: int, times: int, method: str, path: str, **given: object) -> Measured:
        """Send the same request many times; each must be answered with this status."""
        for _ in range(WARM_UP):
            answer = self.request(method, path, **given)  # type: ignore[arg-type]
            assert answer.status == status, answer.content  # type: ignore[attr-defined]
        seconds, cpu = [], self._cpu()
        for _ in range(times):
            began = time.perf_counter()
            answer = self.request(method, path, **given)  # type: ignore[arg-type]
            seconds.append(time.perf_counter() - began)
            assert answer.status == status, answer.content  # type: ignore[attr-defined]
        return Measured(seconds, (self._cpu() - cpu) / times)

    def _cpu(self) -> float:
        return processes.cpu_seconds(self._server)


def measure_api(figures: Figures, place: Scene, sizes: Sizes, *, held: int) -> None:
    """Measure what clients do most, under each server, with nothing else at work."""
    token = create_token(place.free, name="bench", scopes=["tasks:read", "tasks:write"])
    done = Task.objects.of(place.free).filter(status="succeeded").values_list("pk", flat=True).latest("id")
    queued = submit_task(place.free, scene.noop()).task.pk
    body = json.dumps({"type": scene.TYPE, "input": {"number": 1}})
    for server in SERVERS:
        with _serving(server, BARE[server], token) as api:
            _add(figures, f"{server}_bare", api.measure(200, sizes.polls, "GET", "/bare"), held)
        with _serving(server, SERVERS[server], token) as api:
            path = f"/api/v1/tasks/{done}"
            unchanged = {"If-None-Match": api.request("GET", path).headers["ETag"]}
            _add(figures, f"{server}_ended", api.measure(200, sizes.polls, "GET", path), held)
            same = api.measure(304, sizes.polls, "GET", path, headers=unchanged)
            figures.add(f"{server}_same_cpu", same.cpu_seconds * 1000, held=held)
            path = f"/api/v1/tasks/{queued}"
            _add(figures, f"{server}_queued", api.measure(200, sizes.polls, "GET", path), held)
            posted = api.measure(202, sizes.posts, "POST", "/api/v1/tasks", body=body)
            _add(figures, f"{server}_post", posted, held)
            commit = 1 / limits.commits_a_second(1, seconds=sizes.seconds / 2)
            waited = statistics.median(posted.seconds) - commit
            figures.add(f"{server}_post_less_commit", waited * 1000, held=held)


def _add(figures: Figures, name: str, measured: Measured, held: int) -> None:
    figures.add(f"{name}_p50", statistics.median(measured.seconds) * 1000, held=held)
    figures.add(f"{name}_cpu", measured.cpu_seconds * 1000, held=held)


@contextmanager
def _serving(name: str, command: tuple[str, ...], token: str) -> Iterator[Api]:
    port = free_port()
    words = [sys.executable, "-m", *command, "--host", "127.0.0.1", "--port", str(port)]
    with processes.child(name, words, PORTAL_PROCESS="web", MAX_READS_PER_SECOND="100000") as process:
        wait_until_it_answers(port)
        yield Api(port, token, psutil.Process(process.pid))


def wait_until_it_answers(port: int, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            wire = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            wire.request("GET", "/health/live")
            if wire.getresponse().status == 200:
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
