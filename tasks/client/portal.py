"""The client: a method for each thing that can be asked of the portal."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import httpx

from tasks.client.sending import NOT_MODIFIED, Sender, json_of, seconds_of, task_of
from tasks.client.shapes import Batch, File, ItemResult, Task
from tasks.client.stream import Event, follow
from tasks.client.webhooks import verify_webhook

# The portal holds a poll open for so long; most it grants are 30.
LONG_POLL_SECONDS = 20
FIRST_POLL_SECONDS = 0.1
SLOWEST_POLL_SECONDS = 2.0


class Client:
    """Talks to one portal with one token. Each thread needs one of its own.

    Whatever may be repeated is repeated while the portal is away or asks for patience (429, 502, 503, 504),
    after the time that it names, and submissions under one idempotency key. What it refuses is raised as a
    `PortalError`, a class for each problem code (`tasks.client_errors`); where it cannot be reached, as
    `httpx.TransportError`.
    """

    verify_webhook = staticmethod(verify_webhook)

    def __init__(self, url: str, token: str, *, timeout: float = 30.0) -> None:
        """`timeout` is of one request, in seconds."""
        self._sender = Sender(url, token, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._sender.close()

    # --- Tasks ---------------------------------------------------------------------------------------

    def submit(
        self,
        type: str,
        input: Mapping[str, Any],
        *,
        priority: int | None = None,
        needs: Sequence[str] = (),
        after: Sequence[str] = (),
        run_after: str | None = None,
        start_before: str | None = None,
        timeout: int | None = None,
        max_attempts: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        webhook: str | None = None,
        on_quota: Literal["reject", "downgrade"] | None = None,
        reuse: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Task:
        """Submit a task and return it as it is stored.

        `needs` are ids of tasks that must have succeeded first, `after` of those that must have ended; `webhook` is
        the id of an endpoint, or a URL.

        A request that got lost is repeated with the same key, so that it is never submitted twice.

        Raises:
            InvalidInput, UnknownTaskType, EngineUnavailable, QuotaExceeded, …: a `PortalError` by code.
        """
        options = {
            "priority": priority,
            "needs": list(needs) or None,
            "after": list(after) or None,
            "run_after": run_after,
            "start_before": start_before,
            "timeout": timeout,
            "max_attempts": max_attempts,
            "metadata": dict(metadata) if metadata is not None else None,
            "tags": list(tags) or None,
            "webhook": webhook,
            "on_quota": on_quota,
            "reuse": reuse,
        }
        body = {name: value for name, value in options.items() if value is not None}
        task: Task = self._create("/api/v1/tasks", body | {"type": type, "input": dict(input)}, idempotency_key)
        return task

    def get(self, task_id: str) -> Task:
        """Return a task as it is now.

        Raises:
            NotFound: there is none of one's own.
        """
        return task_of(self._sender.send("GET", f"/api/v1/tasks/{task_id}"))

    def wait(self, task_id: str, *, timeout: float | None = None) -> Task:
        """Wait until the task is done and return it, whatever its end.

        Raises:
            TimeoutError: it was not done after `timeout` seconds.
        """
        for task in self._watch(task_id, timeout=timeout, each_change=False):
            if task["done"]:
                return task
        raise AssertionError("a watch ends with a task that is done")

    def changes(self, task_id: str, *, timeout: float | None = None) -> Iterator[Task]:
        """Yield a task as it is, and again at each change that is seen, until it is done.

        Raises:
            TimeoutError: it was not done after `timeout` seconds.
        """
        return self._watch(task_id, timeout=timeout, each_change=True)

    def result(self, task_id: str) -> Any:
        """Return the result alone.

        Raises:
            NoResult: there is none yet, or the task did not succeed.
        """
        return self._sender.send_json("GET", f"/api/v1/tasks/{task_id}/result")

    def stream(self, task_id: str | None = None, *, last_event_id: str = "") -> Generator[Event]:
        """Yield what happens as it happens: to one task until it is done, or to all of one's own without an end.

        Broken connections are made again, and the stream goes on after the last event that came; after one's own
        restart it goes on after `last_event_id`.
        """
        path = "/api/v1/events" if task_id is None else f"/api/v1/tasks/{task_id}/events"
        return follow(self._sender, path, last_event_id=last_event_id, until_done=task_id is not None)

    def cancel(self, task_id: str) -> Task:
        """Cancel a task; repeating it changes nothing."""
        task: Task = self._sender.send_json("POST", f"/api/v1/tasks/{task_id}/cancel")
        return task

    def retry(self, task_id: str) -> Task:
        """Run a failed, cancelled or expired task again under its id; repeating it changes nothing."""
        task: Task = self._sender.send_json("POST", f"/api/v1/tasks/{task_id}/retry")
        return task

    def copy(
        self,
        task_id: str,
        *,
        input: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        **changes: Any,
    ) -> Task:
        """Submit the same again as a new task, with another input or other options (as of `submit`) where given."""
        body = changes | ({"input": dict(input)} if input is not None else {})
        task: Task = self._create(f"/api/v1/tasks/{task_id}/copy", body, idempotency_key)
        return task

    def delete(self, task_id: str) -> None:
        """Delete the content of a task that has ended; repeating it changes nothing."""
        self._sender.send("DELETE", f"/api/v1/tasks/{task_id}")

    def iter(
        self, *, metadata: Mapping[str, str] | None = None, **filters: str | int | Sequence[str]
    ) -> Iterator[Task]:
        """Yield one's tasks, newest first, page by page; filters as of GET /tasks, such as ``status=["failed"]``."""
        by_metadata = {f"metadata[{key}]": value for key, value in (metadata or {}).items()}
        query: dict[str, Any] = filters | by_metadata
        while True:
            page = self._sender.send_json("GET", "/api/v1/tasks", params=query)
            yield from page["data"]
            if page["next_cursor"] is None:
                return
            query = query | {"cursor": page["next_cursor"]}

    # --- Batches -------------------------------------------------------------------------------------

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
        batch: Batch = self._create("/api/v1/batches", body, idempotency_key)
        return batch

    def get_batch(self, batch_id: str) -> Batch:
        batch: Batch = self._sender.send_json("GET", f"/api/v1/batches/{batch_id}")
        return batch

    def cancel_batch(self, batch_id: str) -> Batch:
        """Cancel what has not ended of a batch; repeating it changes nothing."""
        batch: Batch = self._sender.send_json("POST", f"/api/v1/batches/{batch_id}/cancel")
        return batch

    def batch_results(self, batch_id: str) -> Iterator[ItemResult]:
        """Yield what came of each item, in their order, as the portal sends it; at any time."""
        with self._sender.open(
            "GET", f"/api/v1/batches/{batch_id}/results", headers={"Accept": "application/jsonl"}
        ) as answer:
            rest = b""
            for chunk in answer.iter_bytes():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)
            if rest:
                yield json.loads(rest)

    # --- Files ---------------------------------------------------------------------------------------

    def upload(self, source: str | Path | bytes, *, name: str | None = None) -> File:
        """Upload a file from this machine without reading it into memory, or some bytes.

        Not repeated by itself: an upload has no idempotency key.
        """
        if isinstance(source, bytes):
            return self._upload(source, len(source), name or "upload")
        path = Path(source)
        with path.open("rb") as content:
            return self._upload(content, os.fstat(content.fileno()).st_size, name or path.name)

    def download(self, file_id: str, to: str | Path | None = None) -> bytes:
        """Return a file's bytes; or with `to` write them to that path, whole or not at all, and return none."""
        address = f"/api/v1/files/{file_id}/content"
        if to is None:
            return self._sender.send("GET", address, headers={"Accept": "*/*"}).content
        part = Path(to).with_name(f".{Path(to).name}.{uuid.uuid4().hex[:8]}.part")
        try:
            with self._sender.open("GET", address, headers={"Accept": "*/*"}) as answer, part.open("xb") as target:
                for chunk in answer.iter_bytes():
                    target.write(chunk)
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)
        return b""

    # --- What there is -------------------------------------------------------------------------------

    def task_types(self) -> list[dict[str, Any]]:
        """Return the task types, with schemas, an example, and whether each is ready here."""
        types: list[dict[str, Any]] = self._sender.send_json("GET", "/api/v1/task-types", params={"limit": 100})["data"]
        return types

    def task_type(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._sender.send_json("GET", f"/api/v1/task-types/{name}")
        return found

    def queues(self) -> list[dict[str, Any]]:
        """Return the queues: how many of one's own wait and run there, and whether to submit more now."""
        queues: list[dict[str, Any]] = self._sender.send_json("GET", "/api/v1/queues", params={"limit": 100})["data"]
        return queues

    def quota(self) -> dict[str, Any]:
        quota: dict[str, Any] = self._sender.send_json("GET", "/api/v1/quota")
        return quota

    def _create(self, path: str, body: Mapping[str, Any], idempotency_key: str | None) -> Any:
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._sender.send_json("POST", path, json=body, headers=headers)

    def _watch(self, task_id: str, *, timeout: float | None, each_change: bool) -> Iterator[Task]:
        """Poll with `Prefer: wait`: the portal answers at a change, or, to a poll without an ETag, at the end.

        Where something on the way answers at once instead, poll with the ETag, as slowly as Retry-After asks.
        """
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        etag, pause, slowest = "", FIRST_POLL_SECONDS, SLOWEST_POLL_SECONDS
        while True:
            began = time.monotonic()
            hold = 0 if each_change and not etag else int(max(0.0, min(LONG_POLL_SECONDS, deadline - began)))
            answer = self._poll(task_id, etag, hold)
            was_held = 0 < hold <= 2 * (time.monotonic() - began)
            is_changed = answer.status_code != NOT_MODIFIED
            if is_changed:
                task = task_of(answer)
                yield task
                if task["done"]:
                    return
                etag = answer.headers["ETag"] if each_change or not was_held else ""
                slowest = seconds_of(answer.headers.get("Retry-After", "")) or SLOWEST_POLL_SECONDS
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"The task {task_id} was not done after {timeout} seconds.")
            if was_held or (is_changed and each_change):
                pause = FIRST_POLL_SECONDS
            else:
                time.sleep(min(pause, left))
                pause = min(slowest, pause * 2)

    def _poll(self, task_id: str, etag: str, hold: int) -> httpx.Response:
        headers = {"If-None-Match": etag} if etag else {}
        if hold:
            headers["Prefer"] = f"wait={hold}"
        return self._sender.send("GET", f"/api/v1/tasks/{task_id}", headers=headers, longer=hold)

    def _upload(self, content: Any, size: int, name: str) -> File:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        file: File = json_of(
            self._sender.send_once("POST", "/api/v1/files", params={"name": name}, content=content, headers=headers)
        )
        return file
