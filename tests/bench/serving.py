"""Measures the API over one kept connection, under each server that we name: wall time, and CPU time of the server."""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import psutil

# As the units in deploy/ start them, in one process; web with what it runs on, uvicorn.
LEAN = ("--http", "1", "--no-ws", "--blocking-threads", "8", "--backpressure", "64")
SERVERS = {
    "granian": ("granian", "--interface", "wsgi", *LEAN, "--log-level", "error", "portal.wsgi:application"),
    "uvicorn": ("portal.web_server",),
}
SUBMITS = 300
POLLS = 1500
WARM_UP = 30


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
            assert self.request(method, path, **given).status == status  # type: ignore[arg-type]
        seconds, cpu = [], self._cpu()
        for _ in range(times):
            began = time.perf_counter()
            answer = self.request(method, path, **given)  # type: ignore[arg-type]
            seconds.append(time.perf_counter() - began)
            assert answer.status == status, answer.content  # type: ignore[attr-defined]
        return Measured(seconds, (self._cpu() - cpu) / times)

    def _cpu(self) -> float:
        processes = [self._server, *self._server.children(recursive=True)]
        times = [process.cpu_times() for process in processes]
        return sum(one.user + one.system for one in times)


def command(server: str, port: int) -> list[str]:
    return [sys.executable, "-m", *SERVERS[server], "--host", "127.0.0.1", "--port", str(port)]


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


def measure_api(
    api: Api, *, done: UUID, queued: UUID, submission: Mapping[str, object], show: Callable[[str, Measured], None]
) -> None:
    """Measure what clients do most, and show each figure as it is there."""
    for what, task in (("an ended task", done), ("a queued task", queued)):
        path = f"/api/v1/tasks/{task}"
        etag = api.request("GET", path).headers["ETag"]
        show(f"GET /tasks/{{id}} of {what}", api.measure(200, POLLS, "GET", path))
        if task == done:
            unchanged = {"If-None-Match": etag}
            show("GET … with If-None-Match: 304", api.measure(304, POLLS, "GET", path, headers=unchanged))
    body = json.dumps(submission)
    show("POST /tasks", api.measure(202, SUBMITS, "POST", "/api/v1/tasks", body=body))
