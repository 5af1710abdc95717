"""Watches a task by polls: held open where the portal holds them, else no faster than it asks for."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator

import httpx

from .answers import NOT_MODIFIED, seconds_of, task_of
from .sending import Sender
from .shapes import Task

# The portal holds a poll open for so long; most it grants are 30.
LONG_POLL_SECONDS = 20
FIRST_POLL_SECONDS = 0.1
SLOWEST_POLL_SECONDS = 2.0


async def watch(sender: Sender, task_id: str, *, timeout: float | None, each_change: bool) -> AsyncGenerator[Task]:
    """Yield the task at its end, before it now and then, and with `each_change` whenever it has changed.

    Poll with `Prefer: wait`: the portal answers at a change, or, to a poll without an ETag, at the end.
    Where something on the way answers at once instead, poll with the ETag, as slowly as Retry-After asks.

    Raises:
        TimeoutError: it was not done after `timeout` seconds.
    """
    deadline = float("inf") if timeout is None else time.monotonic() + timeout
    etag, pause, slowest = "", FIRST_POLL_SECONDS, SLOWEST_POLL_SECONDS
    while True:
        began = time.monotonic()
        hold = 0 if each_change and not etag else int(max(0.0, min(LONG_POLL_SECONDS, deadline - began)))
        answer = await _poll(sender, task_id, etag, hold)
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
            await sender.wire.pause(min(pause, left))
            pause = min(slowest, pause * 2)


async def _poll(sender: Sender, task_id: str, etag: str, hold: int) -> httpx.Response:
    headers = {"If-None-Match": etag} if etag else {}
    if hold:
        headers["Prefer"] = f"wait={hold}"
    return await sender.send("GET", f"/api/v1/tasks/{task_id}", headers=headers, longer=hold)
