"""The watch over a node's processes counts looks, and knows a stopped process from a slow one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.context import ForkProcess

import psutil
import pytest

from tasks.cluster import frozen
from tasks.cluster.frozen import Watch
from tasks.cluster.shared import SharedMemory, WorkerState

from .conftest import wait_until


@pytest.fixture
def child() -> Iterator[ForkProcess]:
    """A child as the sentinel's workers are: one with a timer."""
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=[600])
    process.timer = 0  # type: ignore[attr-defined]
    process.start()
    yield process
    process.kill()
    process.join()
    process.close()


@pytest.fixture
def memory() -> SharedMemory:
    return SharedMemory(1, grace_seconds=1)


@pytest.fixture(autouse=True)
def _looks_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "LOOK_SECONDS", 0.0)


def looks_until_found(watch: Watch, child: ForkProcess, *, most: int) -> int | None:
    return next((number for number in range(1, most + 1) if watch.find([child])), None)


def stop(child: ForkProcess) -> None:
    assert child.pid
    os.kill(child.pid, signal.SIGSTOP)
    wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED, what="it to be stopped")


def test_worker_that_never_gets_ready_is_found(memory: SharedMemory, child: ForkProcess) -> None:
    assert looks_until_found(Watch(memory), child, most=200) == frozen.BOOT_LOOKS


def test_worker_that_is_ready_may_be_idle_for_ever(memory: SharedMemory, child: ForkProcess) -> None:
    record = memory.take_record()
    record.pid = child.pid
    assert looks_until_found(Watch(memory), child, most=200) is None


def test_monitor_and_pusher_are_no_workers_that_boot(memory: SharedMemory, child: ForkProcess) -> None:
    del child.timer  # type: ignore[attr-defined]
    assert looks_until_found(Watch(memory), child, most=200) is None


@pytest.mark.parametrize("state", [state for state in WorkerState if state != WorkerState.FREE])
def test_stopped_worker_is_found_in_every_state_but_while_its_handler_runs(
    memory: SharedMemory, child: ForkProcess, state: WorkerState
) -> None:
    record = memory.take_record()
    record.pid = child.pid
    record.state = state
    stop(child)
    expected = None if state == WorkerState.RUNNING else frozen.STOPPED_LOOKS
    assert looks_until_found(Watch(memory), child, most=100) == expected


def test_looks_are_counted_in_a_row(memory: SharedMemory, child: ForkProcess) -> None:
    record = memory.take_record()
    record.pid = child.pid
    watch = Watch(memory)
    for _ in range(3):
        stop(child)
        assert looks_until_found(watch, child, most=frozen.STOPPED_LOOKS - 1) is None
        assert child.pid
        os.kill(child.pid, signal.SIGCONT)
        wait_until(lambda: psutil.Process(child.pid).status() != psutil.STATUS_STOPPED, what="it to go on")
        assert watch.find([child]) == []
