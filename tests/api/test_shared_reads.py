"""What many streams ask at once is read once, and never by a read that had begun before."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tasks.api.streams import follow, reads
from tasks.api.streams.reads import THREADS, in_thread
from tasks.api.streams.wake import Wake, Woken
from tasks.api.streams.wire import Wire

pytestmark = pytest.mark.django_db


class Reader:
    """Something to read, as slow as the test wants; it tells how often it was read."""

    def __init__(self) -> None:
        self.count = 0
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()

    def read(self, _what: str) -> int:
        self.count += 1
        self.begun.release()
        assert self.go_on.wait(120)
        return self.count


async def busy_threads(reader: Reader) -> list[asyncio.Task[int]]:
    """Have all threads read something else, so that what is asked next waits for its turn."""
    others = [asyncio.create_task(in_thread(reader.read, f"other {number}")) for number in range(THREADS)]
    for _ in range(THREADS):
        await asyncio.to_thread(reader.begun.acquire, timeout=120)
    return others


def test_those_who_wake_together_read_once() -> None:
    async def wake() -> tuple[set[int], int]:
        first, reader = Reader(), Reader()
        others = await busy_threads(first)
        reader.go_on.set()
        asked = [asyncio.create_task(in_thread(reader.read, "it")) for _ in range(1000)]
        await asyncio.sleep(0)
        # One who leaves takes the answer from nobody.
        asked[0].cancel()
        first.go_on.set()
        await asyncio.gather(*others)
        return set(await asyncio.gather(*asked[1:])), reader.count

    assert asyncio.run(wake()) == ({1}, 1)
    assert not reads._asked


def test_a_read_that_has_begun_is_not_for_who_asks_later() -> None:
    async def wake() -> list[int]:
        reader = Reader()
        first = asyncio.create_task(in_thread(reader.read, "it"))
        await asyncio.to_thread(reader.begun.acquire, timeout=120)
        second = asyncio.create_task(in_thread(reader.read, "it"))
        await asyncio.sleep(0)
        reader.go_on.set()
        await asyncio.gather(first, second)
        return [reader.count]

    assert asyncio.run(wake()) == [2]


def test_failure_is_everybodys() -> None:
    def fail(_what: str) -> None:
        raise LookupError("gone")

    async def wake() -> list[object]:
        return await asyncio.gather(*(in_thread(fail, "it") for _ in range(3)), return_exceptions=True)

    assert [type(found) for found in asyncio.run(wake())] == [LookupError] * 3


@pytest.mark.parametrize("moves", [True, False])
def test_sign_of_life_reads_only_what_changes_without_a_message(monkeypatch: pytest.MonkeyPatch, moves: bool) -> None:
    monkeypatch.setattr(follow, "BEAT_SECONDS", 0.01)
    beats: list[bytes] = []
    looks: list[bool] = []
    checks: list[bool] = []

    async def send(message: dict[str, Any]) -> None:
        beats.append(message["body"])
        if len(beats) == 3:
            wake.end()

    class Still:
        moves_unheard = moves

        async def tell(self, _woken: Woken, *, look: bool) -> bool:
            looks.append(look)
            return True

    async def may_go_on() -> bool:
        checks.append(True)
        return True

    wake = Wake(owner_id=1)
    asyncio.run(asyncio.wait_for(follow.follow(Still(), wake, Wire(send, wake), may_go_on), 10))
    assert (len(checks), looks) == (3, [True] * (3 if moves else 1))
