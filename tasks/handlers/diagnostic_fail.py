"""diagnostic.fail: fails in every way a handler can, so that retries, recovery and limits can be seen working."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import Field

from tasks.context import Context
from tasks.errors import AttemptInterrupted, GiveUp, Retry
from tasks.registry import EngineInfo, Input, Result, task_type

PAGE_BYTES = 4096
# SIGKILL and SIGSTOP cannot be ignored; SIGCHLD and SIGCONT stop nobody.
DEAF_TO = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2]


class FailInput(Input):
    mode: Literal["raise", "give_up", "retry", "exit", "segfault", "ignore_signals", "memory", "cpu"] = Field(
        title="How to fail",
        description="raise: an exception · give_up: a failure that is not tried again · retry: asks for another "
        "attempt · exit: ends its worker · segfault: crashes its worker · ignore_signals: cannot be stopped "
        "politely · memory: holds memory · cpu: never pauses",
    )
    times: int | None = Field(
        default=None, title="Times", description="Fail only in this many first attempts; empty: in all.", ge=0, le=100
    )
    seconds: float = Field(
        default=30,
        title="Seconds",
        description="How long ignore_signals, memory and cpu last, and after how long retry asks to run again.",
        ge=0,
        le=3600,
        allow_inf_nan=False,
    )
    megabytes: int = Field(default=512, title="Megabytes", description="How much memory to hold.", ge=1, le=1_000_000)


class FailResult(Result):
    text: str = Field(description="what happened")
    attempt: int = Field(description="number of the attempt that came through")


EXAMPLE: dict[str, Any] = {"mode": "raise", "times": 1}


@task_type(
    name="diagnostic.fail",
    title="Fail",
    description="Fails in the way you choose. For trying out retries, recovery and limits.",
    queue="diagnostics",
    input=FailInput,
    result=FailResult,
    example=EXAMPLE,
    # Without a failure: the sample is a task that must succeed wherever it is run.
    samples=[{"mode": "raise", "times": 0}],
    est_seconds=1.0,
    diagnostic=True,
    icon="bomb",
)
def fail(ctx: Context, data: FailInput) -> FailResult:
    """Fail as told, unless this attempt comes after the last one that was to fail."""
    if data.times is not None and ctx.attempt > data.times:
        text = f"Attempt {ctx.attempt} was to succeed."
    else:
        MODES[data.mode](data)
        text = f"Came through mode {data.mode}."
    return FailResult(text=text, attempt=ctx.attempt, engine=EngineInfo(name="portal", version="1"))


def _raise(data: FailInput) -> None:
    raise RuntimeError("diagnostic.fail was asked to raise")


def _give_up(data: FailInput) -> None:
    raise GiveUp("diagnostic.fail was asked to give up.")


def _retry(data: FailInput) -> None:
    raise Retry("diagnostic.fail was asked to try again.", after=data.seconds)


def _exit(data: FailInput) -> None:
    # Not sys.exit: the worker is to vanish without a chance to tidy up.
    os._exit(3)


def _segfault(data: FailInput) -> None:
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)


def _ignore_signals(data: FailInput) -> None:
    until = time.monotonic() + data.seconds
    with _deaf():
        while time.monotonic() < until:
            try:
                time.sleep(0.05)
            except AttemptInterrupted:
                continue


def _memory(data: FailInput) -> None:
    held = bytearray(data.megabytes * 1024 * 1024)
    # Memory is only taken when it is written to.
    held[::PAGE_BYTES] = b"x" * len(range(0, len(held), PAGE_BYTES))
    time.sleep(data.seconds)


def _cpu(data: FailInput) -> None:
    until = time.monotonic() + data.seconds
    while time.monotonic() < until:
        sum(range(10_000))


@contextmanager
def _deaf() -> Iterator[None]:
    """Ignore every signal that can be ignored, and give the worker its own handlers back afterwards."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in DEAF_TO}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


MODES: dict[str, Callable[[FailInput], None]] = {
    "raise": _raise,
    "give_up": _give_up,
    "retry": _retry,
    "exit": _exit,
    "segfault": _segfault,
    "ignore_signals": _ignore_signals,
    "memory": _memory,
    "cpu": _cpu,
}
