"""What only `AsyncClient` can do: many calls at once, in one thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from accounts.models import User
from tasks.client import AsyncClient, Client
from tests.scripted_server import Answer, scripted_server

live = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@live
def test_many_calls_are_under_way_at_once(live_server: Any, alice: User, token_of: Callable[..., str]) -> None:
    async def submit_and_list(token: str) -> tuple[set[str], set[str]]:
        async with AsyncClient(live_server.url, token) as portal:
            made = await asyncio.gather(
                *(portal.submit("diagnostic.echo", {"message": str(number)}) for number in range(12))
            )
            return {task["id"] for task in made}, {task["id"] async for task in portal.iter(limit=5)}

    submitted, listed = asyncio.run(submit_and_list(token_of(alice)))
    assert len(submitted) == 12
    assert submitted == listed


def test_pause_lets_others_go_on() -> None:
    async def ask(url: str) -> list[str]:
        ended: list[str] = []

        async def wait_for(task_id: str) -> None:
            await portal.get(task_id)
            ended.append(task_id)

        async with AsyncClient(url, "ptl_secret") as portal:
            patient = asyncio.create_task(wait_for("patient"))
            # Its first try is answered before the other one begins.
            await asyncio.to_thread(server.was_asked.wait, 60)
            await wait_for("quick")
            await patient
        return ended

    with scripted_server() as server:
        server.answers = [
            Answer(503, b"", {"Retry-After": "2"}),
            Answer(200, {"done": True}),
            Answer(200, {"done": True}),
        ]
        assert asyncio.run(ask(server.url)) == ["quick", "patient"]


def test_call_that_is_cancelled_ends_at_once() -> None:
    async def give_up(url: str) -> None:
        async with AsyncClient(url, "ptl_secret") as portal:
            # It would wait for fifty seconds, and not ask again before.
            asked = asyncio.create_task(portal.get("t1"))
            await asyncio.to_thread(server.was_asked.wait, 60)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

    with scripted_server() as server:
        server.answers = [Answer(503, b"", {"Retry-After": "50"})]
        asyncio.run(give_up(server.url))
        assert len(server.asked) == 1


def test_stream_that_is_left_gives_its_connection_back() -> None:
    async def leave(url: str) -> tuple[Any, int]:
        async with AsyncClient(url, "ptl_secret") as portal:
            async with aclosing(portal.stream()) as events:
                first = await anext(events)
            connections = portal._sender.wire._http._transport._pool.connections  # type: ignore[attr-defined]
            return first.data, len(connections)

    with scripted_server() as server:
        server.answers = [Answer(body=[b"data: 1\n\n"], headers={"Content-Type": "text/event-stream"})]
        assert asyncio.run(leave(server.url)) == (1, 0)


def test_blocking_client_works_inside_an_event_loop() -> None:
    """As in a notebook: it blocks the loop, and needs none."""

    async def ask(url: str) -> list[Any]:
        with Client(url, "ptl_secret") as portal:
            return [portal.get("t1")["done"], *portal.batch_results("b1")]

    with scripted_server() as server:
        server.answers = [Answer(200, {"done": True}), Answer(body=[b'{"index": 0}\n'])]
        assert asyncio.run(ask(server.url)) == [True, {"index": 0}]


def test_portal_that_is_not_there_is_a_transport_error_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.client.sending.MOST_TRIES", 1)

    async def ask() -> None:
        async with AsyncClient("http://127.0.0.1:9", "ptl_secret") as portal:
            await portal.quota()

    with pytest.raises(httpx.TransportError):
        asyncio.run(ask())
