"""Tasks: submit them, wait for them, watch them, stop them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Unpack

from .answers import task_of
from .polling import watch
from .sending import Sender, filters_of, given
from .shapes import Attempt, Task, TaskEvent
from .stream import Event, follow
from .submission import SubmissionOptions, submission
from .written_once import method, series

ANY = {"Accept": "*/*"}


class Tasks:
    _sender: Sender

    @method
    async def submit(
        self,
        type: str,
        input: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        **options: Unpack[SubmissionOptions],
    ) -> Task:
        """Submit a task and return it as it is stored; options as in `SubmissionOptions`.

        A request that got lost is repeated with the same key, so that it is never submitted twice.

        Raises:
            InvalidInput, UnknownTaskType, EngineUnavailable, QuotaExceeded, …: a `PortalError` by code.
        """
        body = submission(type, input, options)
        task: Task = await self._sender.make("POST", "/api/v1/tasks", key=idempotency_key, json=body)
        return task

    @method
    async def preview(
        self, type: str, input: Mapping[str, Any], **options: Unpack[SubmissionOptions]
    ) -> dict[str, Any]:
        """Submit nothing, and say what would happen: the priority, the place in the queue, the cost.

        Raises:
            PortalError: what submitting would raise.
        """
        body, query = submission(type, input, options), {"validate_only": "true"}
        found: dict[str, Any] = await self._sender.send_json("POST", "/api/v1/tasks", params=query, json=body)
        return found

    @method
    async def get(self, task_id: str) -> Task:
        """Return a task as it is now.

        Raises:
            NotFound: there is none of one's own.
        """
        return task_of(await self._sender.send("GET", f"/api/v1/tasks/{task_id}"))

    @method
    async def wait(self, task_id: str, *, timeout: float | None = None) -> Task:
        """Wait until the task is done and return it, whatever its end.

        Raises:
            TimeoutError: it was not done after `timeout` seconds.
        """
        async for task in watch(self._sender, task_id, timeout=timeout, each_change=False):
            if task["done"]:
                return task
        raise AssertionError("a watch ends with a task that is done")

    @series
    async def changes(self, task_id: str, *, timeout: float | None = None) -> AsyncGenerator[Task]:
        """Yield a task as it is, and again at each change that is seen, until it is done.

        Raises:
            TimeoutError: it was not done after `timeout` seconds.
        """
        async for task in watch(self._sender, task_id, timeout=timeout, each_change=True):
            yield task

    @method
    async def result(self, task_id: str) -> Any:
        """Return the result alone.

        Raises:
            NoResult: there is none yet, or the task did not succeed.
        """
        return await self._sender.send_json("GET", f"/api/v1/tasks/{task_id}/result")

    @method
    async def result_workbook(self, task_id: str) -> bytes:
        """Return all tables of the result as a workbook (XLSX).

        Raises:
            NoResult: there is none yet, or the task did not succeed.
            NotFound: the result has no tables.
        """
        async with self._sender.open("GET", f"/api/v1/tasks/{task_id}/result/tables.xlsx", headers=ANY) as answer:
            return await self._sender.wire.read(answer)

    @method
    async def result_table(self, task_id: str, table_number: int = 1) -> str:
        """Return one table of the result, counted from 1, as CSV.

        Raises:
            NoResult, NotFound: as `result_workbook`.
        """
        csv = self._sender.open("GET", f"/api/v1/tasks/{task_id}/result/tables/{table_number}.csv", headers=ANY)
        async with csv as answer:
            content = await self._sender.wire.read(answer)
        return content.decode("utf-8-sig")

    @method
    async def result_markdown(self, task_id: str) -> str:
        """Return the result as Markdown, its tables in their places.

        Raises:
            NoResult, NotFound: as `result_workbook`.
        """
        async with self._sender.open("GET", f"/api/v1/tasks/{task_id}/result/document.md", headers=ANY) as answer:
            content = await self._sender.wire.read(answer)
        return content.decode()

    @series
    async def stream(self, task_id: str | None = None, *, last_event_id: str = "") -> AsyncGenerator[Event]:
        """Yield what happens as it happens: to one task until it is done, or to all of one's own without an end.

        Broken connections are made again, and the stream goes on after the last event that came; after one's own
        restart it goes on after `last_event_id`.
        """
        path = "/api/v1/events" if task_id is None else f"/api/v1/tasks/{task_id}/events"
        events = follow(self._sender, path, last_event_id=last_event_id, until_done=task_id is not None)
        async with aclosing(events):
            async for event in events:
                yield event

    @series
    async def events(self, task_id: str) -> AsyncGenerator[TaskEvent]:
        """Yield what a task has said so far: progress, log lines, streamed text."""
        async for event in self._sender.pages(f"/api/v1/tasks/{task_id}/events"):
            yield event

    @series
    async def attempts(self, task_id: str) -> AsyncGenerator[Attempt]:
        """Yield each execution of a task, with the worker that did it, and how it ended."""
        async for attempt in self._sender.pages(f"/api/v1/tasks/{task_id}/attempts"):
            yield attempt

    @method
    async def rename(self, task_id: str, name: str | None) -> Task:
        """Call a task by this name; None: as the portal would.

        Raises:
            InvalidBody: it is more than one line.
            ContentPurged: its content is gone, and its name with it.
        """
        task: Task = await self._sender.send_json("PATCH", f"/api/v1/tasks/{task_id}", json={"name": name})
        return task

    @method
    async def cancel(self, task_id: str) -> Task:
        """Cancel a task; repeating it changes nothing."""
        task: Task = await self._sender.send_json("POST", f"/api/v1/tasks/{task_id}/cancel")
        return task

    @method
    async def retry(self, task_id: str, *, idempotency_key: str | None = None) -> Task:
        """Run a failed, cancelled or expired task again under its id."""
        task: Task = await self._sender.make("POST", f"/api/v1/tasks/{task_id}/retry", key=idempotency_key)
        return task

    @method
    async def copy(
        self,
        task_id: str,
        *,
        input: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        **changes: Unpack[SubmissionOptions],
    ) -> Task:
        """Submit the same again as a new task, with another input or other options (as of `submit`) where given."""
        body = {**changes, **given(input=input)}
        task: Task = await self._sender.make("POST", f"/api/v1/tasks/{task_id}/copy", key=idempotency_key, json=body)
        return task

    @method
    async def delete(self, task_id: str) -> None:
        """Delete the content of a task that has ended; repeating it changes nothing."""
        await self._sender.send("DELETE", f"/api/v1/tasks/{task_id}")

    @series
    async def iter(
        self, /, *, metadata: Mapping[str, str] | None = None, **filters: str | int | Sequence[str]
    ) -> AsyncGenerator[Task]:
        """Yield one's tasks, newest first, page by page; filters as of GET /tasks, such as ``status=["failed"]``."""
        async for task in self._sender.pages("/api/v1/tasks", **filters_of(metadata, filters)):
            yield task
