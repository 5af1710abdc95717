"""Runs the task types' samples against a portal over its API: for `make run`'s first start and `manage.py smoke`.

A sample is an input in which ``{"$sample": "report.pdf"}`` stands for the id of that file, uploaded first,
and ``{"$portal": "/health/live"}`` for that address of the portal itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from tasks.registry import TaskType

POLL_SECONDS = 0.3
ANSWER_SECONDS = 30.0

Task = dict[str, Any]


class SampleError(Exception):
    """A sample could not be submitted or watched; the message says what the portal answered."""


class Samples:
    """Submits samples to one portal as one user. Each file is uploaded once."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=f"{self._url}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=ANSWER_SECONDS
        )
        self._uploaded: dict[Path, str] = {}

    def ready_types(self) -> Iterator[tuple[str, bool, str]]:
        """Yield each task type of the portal: its name, whether it is ready, and what to do if not."""
        for described in self._call("GET", "task-types", params={"limit": 100})["data"]:
            yield described["name"], described["ready"], described["engine"]["hint"] or ""

    def submit(self, definition: TaskType) -> list[Task]:
        """Submit the samples of a task type, or its example when it has none.

        Raises:
            SampleError: the portal refused one.
        """
        inputs = [
            self._fill_in(sample, definition.sample_files) for sample in definition.samples or [definition.example]
        ]
        bodies = ({"type": definition.name, "input": filled, "tags": ["sample"]} for filled in inputs)
        return [self._call("POST", "tasks", json=body) for body in bodies]

    def watch(self, task: Task, on_change: Callable[[Task], None], seconds: float) -> Task:
        """Poll a task until it is done or the time is up, and return it as it was last.

        Raises:
            SampleError: the portal did not answer.
        """
        deadline = time.monotonic() + seconds
        version = None
        while True:
            task = self._call("GET", f"tasks/{task['id']}")
            if task["version"] != version:
                version = task["version"]
                on_change(task)
            if task["done"] or time.monotonic() > deadline:
                return task
            time.sleep(POLL_SECONDS)

    def _fill_in(self, value: Any, folder: Path) -> Any:
        if isinstance(value, Mapping):
            if set(value) == {"$sample"}:
                return self._upload(folder / value["$sample"])
            if set(value) == {"$portal"}:
                return self._url + value["$portal"]
            return {key: self._fill_in(member, folder) for key, member in value.items()}
        return [self._fill_in(member, folder) for member in value] if isinstance(value, list | tuple) else value

    def _upload(self, path: Path) -> str:
        if path not in self._uploaded:
            if not path.exists():
                raise SampleError(f"the sample file {path} is not there")
            with path.open("rb") as file:
                self._uploaded[path] = self._call("POST", "files", files={"file": (path.name, file)})["id"]
        return self._uploaded[path]

    def _call(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise SampleError(f"{method} {path}: {error or type(error).__name__}") from error
        if answer.is_error:
            raise SampleError(f"{method} {path}: HTTP {answer.status_code} {answer.text[:300]}")
        return answer.json()
