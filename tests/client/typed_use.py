"""Uses both clients as a type checker should see it: `test_types.py` has mypy read this file, and nobody runs it.

Each `type: ignore` stands for a fault that must be found: one that is not needed is a fault by itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any, assert_type

from tasks.client import AsyncClient, Client, Event, Schedule, Task


def blocking(portal: Client) -> None:
    assert_type(portal.get("1"), Task)
    assert_type(portal.submit("diagnostic.echo", {}, priority=3, keep="2h"), Task)
    assert_type(portal.stream("1"), Generator[Event, None, None])
    portal.submit("diagnostic.echo", {}, prioritty=3)  # type: ignore[call-arg]
    portal.submit("diagnostic.echo", {}, priority="3")  # type: ignore[arg-type]
    portal.nothing()  # type: ignore[attr-defined]
    with portal as entered:
        assert_type(entered, Client)


async def awaited(portal: AsyncClient) -> None:
    asked: Coroutine[Any, Any, Task] = portal.get("1")
    assert_type(await asked, Task)
    assert_type(await portal.create_schedule({}, cron="@daily"), Schedule)
    assert_type(portal.iter(status=["failed"]), AsyncGenerator[Task, None])
    async for event in portal.stream():
        assert_type(event, Event)
    portal.cancel("1")  # type: ignore[unused-coroutine]
    async with portal as entered:
        assert_type(entered, AsyncClient)
