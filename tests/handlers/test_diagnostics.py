"""The diagnostic types do what they say, in a process of their own where that process is to die."""

from __future__ import annotations

import multiprocessing
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import CancelRequested, GiveUp, InvalidInput, Retry
from tasks.registry import get_type
from tasks.testing import FolderContext, run


def run_in_a_process(folder: Path, **data: Any) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(
        target=run, args=("diagnostic.fail", FolderContext(folder)), kwargs=data
    )
    process.start()
    return process


def test_echo_returns_the_message(ctx: FolderContext) -> None:
    assert run("diagnostic.echo", ctx, message="grüß dich")["text"] == "grüß dich"


def test_sleep_sleeps_and_tells_its_progress(ctx: FolderContext) -> None:
    started = time.monotonic()
    result = run("diagnostic.sleep", ctx, seconds=0.35)

    assert 0.35 <= result["seconds"] <= time.monotonic() - started + 0.001
    assert ctx.stages
    assert [fraction for fraction, _ in ctx.stages] == sorted(fraction for fraction, _ in ctx.stages)


def test_sleep_stops_when_it_is_told_to(tmp_path: Path) -> None:
    def cancel() -> None:
        raise CancelRequested

    with pytest.raises(CancelRequested):
        run("diagnostic.sleep", FolderContext(tmp_path, check=cancel), seconds=60)


@pytest.mark.parametrize("seconds", [-1, 3601, "NaN", float("inf")])
def test_sleep_refuses_times_that_are_none(seconds: object) -> None:
    with pytest.raises(InvalidInput):
        get_type("diagnostic.sleep").validate({"seconds": seconds})


@pytest.mark.parametrize(("mode", "error"), [("raise", RuntimeError), ("give_up", GiveUp), ("retry", Retry)])
def test_fail_raises_what_it_is_told_to(ctx: FolderContext, mode: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        run("diagnostic.fail", ctx, mode=mode)


def test_fail_succeeds_after_the_attempts_that_are_to_fail(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        run("diagnostic.fail", FolderContext(tmp_path, attempt=2), mode="raise", times=2)

    assert run("diagnostic.fail", FolderContext(tmp_path, attempt=3), mode="raise", times=2)["attempt"] == 3


@pytest.mark.parametrize(("mode", "code"), [("exit", 3), ("segfault", -signal.SIGSEGV)])
def test_fail_ends_its_process(tmp_path: Path, mode: str, code: int) -> None:
    process = run_in_a_process(tmp_path, mode=mode)
    process.join(timeout=120)

    assert process.exitcode == code


def test_fail_ignores_signals_but_not_the_last(tmp_path: Path) -> None:
    process = run_in_a_process(tmp_path, mode="ignore_signals", seconds=60)
    deadline = time.monotonic() + 120
    # The signals are ignored from the moment that the process says so in its own table.
    while not ignores(process.pid or 0, signal.SIGTERM):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.terminate()
    process.join(timeout=0.5)
    assert process.is_alive()

    process.kill()
    process.join(timeout=120)
    assert process.exitcode == -signal.SIGKILL


def ignores(pid: int, number: int) -> bool:
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    return bool(int(status["SigIgn"], 16) & (1 << (number - 1)))


def test_fail_holds_memory_and_burns_time(ctx: FolderContext) -> None:
    assert run("diagnostic.fail", ctx, mode="memory", megabytes=20, seconds=0.1)["text"]

    before = time.process_time()
    run("diagnostic.fail", ctx, mode="cpu", seconds=0.2)
    # Asleep it would take next to none; how much it gets is the machine's affair.
    assert time.process_time() - before > 0.02
