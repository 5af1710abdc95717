"""The hub: real NOTIFY reaches those it concerns, a lost connection is mended, a slow reader is dropped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from accounts.models import User
from tasks.direct import connection_parameters
from tasks.lifecycle.claim import Claimed
from tasks.live import channels
from tasks.live.hub import MOST_UNREAD, Dropped, Hub, Subscription
from tests.web.conftest import Submit

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

WAIT_SECONDS = 10


def with_hub(scenario: Callable[[Hub, psycopg.AsyncConnection[Any]], Awaitable[None]], hub: Hub | None = None) -> None:
    """Run a scenario beside a hub that listens, with a connection to notify by."""

    async def run() -> None:
        listening = hub or Hub()
        await listening.start()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await listening.wait_connected()
            async with await psycopg.AsyncConnection.connect(**connection_parameters(), autocommit=True) as other:
                await scenario(listening, other)
        finally:
            await listening.stop()

    asyncio.run(run())


async def notify(connection: psycopg.AsyncConnection[Any], payload: object, channel: str = channels.TASK) -> None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    await connection.execute("SELECT pg_notify(%s, %s)", [channel, text])


async def next_of(messages: Subscription) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_SECONDS):
        return await messages.get()


def message(task: str, owner: int, version: int = 1) -> dict[str, Any]:
    return {"id": task, "owner": owner, "version": version, "status": "running"}


def test_message_reaches_its_owner_and_those_who_watch_the_task_and_nobody_else() -> None:
    async def scenario(hub: Hub, other: psycopg.AsyncConnection[Any]) -> None:
        async with (
            hub.subscribe(owner_id=1) as mine,
            hub.subscribe(owner_id=2) as theirs,
            hub.subscribe(task_id="b") as of_task,
        ):
            await notify(other, message("a", owner=1))
            await notify(other, message("b", owner=1))
            await notify(other, message("c", owner=2))
            assert [(await next_of(mine))["id"] for _ in range(2)] == ["a", "b"]
            assert (await next_of(of_task))["id"] == "b"
            # The third message came last, so what was not theirs would have come before it.
            assert (await next_of(theirs))["id"] == "c"

    with_hub(scenario)


def test_notice_of_several_tasks_reaches_each_of_their_watchers() -> None:
    async def scenario(hub: Hub, other: psycopg.AsyncConnection[Any]) -> None:
        async with hub.subscribe(owner_id=1) as mine, hub.subscribe(task_id="c") as of_task:
            await notify(other, [message("a", owner=1), message("b", owner=1), message("c", owner=2)])
            assert [(await next_of(mine))["id"] for _ in range(2)] == ["a", "b"]
            assert (await next_of(of_task))["id"] == "c"

    with_hub(scenario)


def test_claimed_task_is_told_by_the_lifecycle(alice: User, submit: Submit, claim: Callable[[], Claimed]) -> None:
    task = submit(alice)

    async def scenario(hub: Hub, other: psycopg.AsyncConnection[Any]) -> None:
        async with hub.subscribe(task_id=task.pk) as messages:
            await asyncio.to_thread(in_thread, claim)
            told = await next_of(messages)
            assert (told["id"], told["owner"], told["status"]) == (str(task.pk), alice.pk, "running")

    with_hub(scenario)


def in_thread(function: Callable[[], object]) -> None:
    """Call a function that uses the database, and close the thread's own connection."""
    from django.db import connection

    try:
        function()
    finally:
        connection.close()


def test_unreadable_message_is_left_out() -> None:
    async def scenario(hub: Hub, other: psycopg.AsyncConnection[Any]) -> None:
        async with hub.subscribe(owner_id=1) as messages:
            for payload in ("not json", "[]", '{"id": "a"}', "7"):
                await notify(other, payload)
            await notify(other, message("after", owner=1))
            assert (await next_of(messages))["id"] == "after"

    with_hub(scenario)


def test_lost_connection_is_mended_and_everyone_told_to_read_again() -> None:
    async def scenario(hub: Hub, other: psycopg.AsyncConnection[Any]) -> None:
        async with hub.subscribe(owner_id=1) as messages:
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'portal-listen' AND datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert (await next_of(messages))["read_again"]
            await notify(other, message("later", owner=1))
            assert (await next_of(messages))["id"] == "later"

    with_hub(scenario)


def test_slow_reader_is_dropped_and_others_are_not() -> None:
    async def scenario(hub: Hub, other: psycopg.AsyncConnection[Any]) -> None:
        async with hub.subscribe(owner_id=1) as slow, hub.subscribe(owner_id=1) as quick:
            for version in range(MOST_UNREAD + 1):
                await notify(other, message("a", owner=1, version=version))
                assert (await next_of(quick))["version"] == version
            with pytest.raises(Dropped):
                await next_of(slow)
            assert hub.count_of(1) == 1

    with_hub(scenario)


def test_ended_subscription_is_forgotten() -> None:
    async def scenario(hub: Hub, other: psycopg.AsyncConnection[Any]) -> None:
        with suppress(RuntimeError):
            async with hub.subscribe(owner_id=1):
                assert hub.count_of(1) == 1
                raise RuntimeError
        assert hub.count_of(1) == 0

    with_hub(scenario)


def test_other_channels_call_their_functions() -> None:
    hub = Hub()
    revoked: list[str] = []
    hub.call_on(channels.TOKEN, revoked.append)

    async def scenario(hub: Hub, other: psycopg.AsyncConnection[Any]) -> None:
        async with hub.subscribe(owner_id=1) as messages:
            await notify(other, "abc", channel=channels.TOKEN)
            await notify(other, message("after", owner=1))
            await next_of(messages)
        assert revoked == ["abc"]

    with_hub(scenario, hub)
