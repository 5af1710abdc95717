"""A small typed client of the REST API on httpx. Needs neither Django nor a database.

with Client("http://127.0.0.1:8000", token) as portal:
    file = portal.upload("invoice.pdf")
    task = portal.submit("pdf.extract", {"file": file["id"]})
    print(portal.wait(task["id"])["result"]["text"])
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypedDict

import httpx

from tasks.client_errors import PortalError, error_of

RETRIED = frozenset({429, 502, 503, 504})
MOST_TRIES = 5
LONGEST_PAUSE_SECONDS = 60.0
FIRST_POLL_SECONDS = 0.1
SLOWEST_POLL_SECONDS = 2.0


class Task(TypedDict):
    """A task; every key is always there. See docs/api.md."""

    id: str
    type: str
    status: str
    done: bool
    version: int
    input: Any
    result: Any
    error: dict[str, Any] | None
    priority: dict[str, Any]
    progress: dict[str, Any]
    queue: dict[str, Any]
    attempts: dict[str, Any]
    engine: dict[str, Any] | None
    usage: dict[str, Any]
    metadata: dict[str, Any]
    tags: list[str]
    batch: str | None
    needs: list[str]
    copy_of: str | None
    run_after: str | None
    start_before: str | None
    timeout: int
    keep_until: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    urls: dict[str, str]


class File(TypedDict):
    id: str
    name: str
    size: int
    content_type: str
    sha256: str
    task: str | None
    created_at: str
    urls: dict[str, str]


class Batch(TypedDict):
    id: str
    name: str
    done: bool
    total: int
    refused: int
    counts: dict[str, int]
    items: list[dict[str, Any]]
    created_at: str
    urls: dict[str, str]


class Client:
    """Talks to one portal with one token. Not for use by several threads at once."""

    def __init__(self, url: str, token: str, *, timeout: float = 30.0) -> None:
        """`timeout` is of one request, in seconds."""
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def submit(
        self,
        type: str,
        input: Mapping[str, Any],
        *,
        priority: int | None = None,
        run_after: str | None = None,
        start_before: str | None = None,
        timeout: int | None = None,
        max_attempts: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        on_quota: Literal["reject", "downgrade"] = "reject",
        idempotency_key: str | None = None,
    ) -> Task:
        """Submit a task and return it as it is stored.

        A request that got lost is repeated with the same key, so that it is never submitted twice.

        Raises:
            InvalidInput, UnknownTaskType, EngineUnavailable, QuotaExceeded, …: a `PortalError` by code.
        """
        given = {
            "priority": priority,
            "run_after": run_after,
            "start_before": start_before,
            "timeout": timeout,
            "max_attempts": max_attempts,
            "metadata": dict(metadata) if metadata is not None else None,
            "tags": list(tags) or None,
        }
        body = {name: value for name, value in given.items() if value is not None}
        task: Task = self._post(
            "/api/v1/tasks",
            body | {"type": type, "input": dict(input), "on_quota": on_quota},
            idempotency_key or str(uuid.uuid4()),
        )
        return task

    def batch(
        self,
        tasks: Sequence[Mapping[str, Any]],
        *,
        name: str = "",
        atomic: bool = False,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Submit up to 1,000 tasks (bodies as of POST /tasks) as one batch."""
        body = {"tasks": [dict(task) for task in tasks], "name": name, "atomic": atomic}
        batch: Batch = self._post("/api/v1/batches", body, idempotency_key or str(uuid.uuid4()))
        return batch

    def get(self, task_id: str) -> Task:
        task: Task = self._send("GET", f"/api/v1/tasks/{task_id}").json()
        return task

    def wait(self, task_id: str, *, timeout: float | None = None) -> Task:
        """Poll until the task is done and return it, whatever its end.

        Raises:
            TimeoutError: it was not done after `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause, etag = FIRST_POLL_SECONDS, ""
        while True:
            answer = self._send("GET", f"/api/v1/tasks/{task_id}", headers={"If-None-Match": etag} if etag else {})
            if answer.status_code == 200:
                task: Task = answer.json()
                if task["done"]:
                    return task
                etag = answer.headers["ETag"]
            if deadline is not None and time.monotonic() + pause > deadline:
                raise TimeoutError(f"The task {task_id} was not done after {timeout} seconds.")
            time.sleep(pause)
            pause = min(SLOWEST_POLL_SECONDS, pause * 1.5)

    def cancel(self, task_id: str) -> Task:
        """Cancel a task; repeating it changes nothing."""
        task: Task = self._post(f"/api/v1/tasks/{task_id}/cancel")
        return task

    def retry(self, task_id: str) -> Task:
        """Run a failed, cancelled or expired task again under its id; repeating it changes nothing."""
        task: Task = self._post(f"/api/v1/tasks/{task_id}/retry")
        return task

    def upload(self, path: str | Path, *, name: str | None = None) -> File:
        """Upload a file from this machine, without reading it into memory."""
        source = Path(path)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(source.stat().st_size)}
        # Not repeated by itself: an upload has no idempotency key.
        with source.open("rb") as content:
            answer = self._http.post(
                "/api/v1/files", params={"name": name or source.name}, content=content, headers=headers
            )
        file: File = _checked(answer).json()
        return file

    def download(self, file_id: str) -> bytes:
        return self._send("GET", f"/api/v1/files/{file_id}/content").content

    def iter(self, **filters: str | int | Sequence[str]) -> Iterator[Task]:
        """Yield one's tasks, newest first, page by page; filters as of GET /tasks, such as ``status=["failed"]``."""
        cursor: str | None = None
        while True:
            query: dict[str, Any] = filters | ({"cursor": cursor} if cursor else {})
            page = self._send("GET", "/api/v1/tasks", params=query).json()
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def quota(self) -> dict[str, Any]:
        quota: dict[str, Any] = self._send("GET", "/api/v1/quota").json()
        return quota

    def _post(self, path: str, body: Any = None, idempotency_key: str | None = None) -> Any:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._send("POST", path, json=body, headers=headers).json()

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request that may be repeated, and repeat it while the portal is away or asks for patience."""
        for number in range(1, MOST_TRIES + 1):
            try:
                return _checked(self._http.request(method, path, params=params, json=json, headers=headers))
            except httpx.TransportError:
                if number == MOST_TRIES:
                    raise
                pause = 0.2 * 2**number
            except PortalError as error:
                pause = error.retry_after or 0.2 * 2**number
                if error.status not in RETRIED or number == MOST_TRIES or pause > LONGEST_PAUSE_SECONDS:
                    raise
            time.sleep(pause)
        raise AssertionError("unreachable")


def _checked(answer: httpx.Response) -> httpx.Response:
    """Return an answer below 400.

    Raises:
        PortalError: of the class of its problem.
    """
    if answer.status_code < 400:
        return answer
    is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    after = answer.headers.get("Retry-After", "")
    raise error_of(answer.status_code, answer.json() if is_problem else {}, float(after) if after.isdigit() else None)
