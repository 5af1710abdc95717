"""Runs functions of ours that read untrusted files in a child process under limits: no file can bring a worker down.

A file may be made to unpack to gigabytes, or to crash the C code that parses it. The child dies of it; the task fails
with a sentence; the worker goes on. A child is kept between calls, because starting one takes half a second.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks import errors

# Address space, of which libraries take half a gigabyte before they do anything.
MEMORY_BYTES = 3 * 1024**3
CALL_SECONDS = 300.0
# A child that once needed more than this is not kept.
KEPT_RSS_BYTES = 600 * 1024**2
MAX_ANSWER_BYTES = 128 * 1024**2
LOOK_SECONDS = 0.2
CHILD = Path(__file__).parent / "contained_child.py"
LAUNCHER = Path(__file__).parent / "limited_program.py"
# What a call may raise by name; everything else is our fault or the machine's.
KNOWN_ERRORS = {error.__name__: error for error in (errors.UnreadableFile, errors.InputTooLarge, errors.GiveUp)}

# All that a child gets to know: a file that takes it over must not find our keys in its environment.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "LD_LIBRARY_PATH")

Check = Callable[[], None]
Tell = Callable[[float, str], None]


def no_check() -> None:
    """Let everything pass: for callers that are interrupted in no other way than by a kill."""


def no_tell(fraction: float, stage: str) -> None:
    """Tell nobody how far it is."""


class Child:
    """One child process. Not for several threads at once."""

    def __init__(self) -> None:
        limits = [sys.executable, "-I", "-S", str(LAUNCHER), "0", str(MEMORY_BYTES)]
        self._process = subprocess.Popen(
            [*limits, sys.executable, "-I", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_environment(),
        )
        self._buffer = bytearray()
        self.rss_bytes = 0

    @property
    def usable(self) -> bool:
        return self._process.poll() is None and self.rss_bytes < KEPT_RSS_BYTES

    def call(
        self,
        function: str,
        /,
        *,
        check: Check = no_check,
        tell: Tell = no_tell,
        seconds: float = CALL_SECONDS,
        **arguments: Any,
    ) -> Any:
        """Run ``module:function(tell, **arguments)`` of `tasks.engines` in the child and return what it returns.

        Arguments and what is returned are JSON. `check` is called meanwhile and may raise; then, and
        after every failure of its own, the child is of no more use and `close` ends it.

        Raises:
            UnreadableFile, InputTooLarge, GiveUp: as the function says; or the file brought the child down.
            EngineError: anything else that went wrong.
        """
        deadline = time.monotonic() + seconds
        self._send({"function": function, "arguments": arguments})
        while True:
            message = self._receive(check, deadline)
            if "progress" in message:
                tell(*message["progress"])
                continue
            self.rss_bytes = message["rss_bytes"]
            if "error" in message:
                raise _error_of(message["error"])
            return message["result"]

    def close(self) -> None:
        """End the child, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        unsent = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while unsent:
                unsent = unsent[self._process.stdin.write(unsent) :]
        except BrokenPipeError:
            raise self._death() from None

    def _receive(self, check: Check, deadline: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while (end := self._buffer.find(b"\n")) < 0:
                check()
                if time.monotonic() > deadline:
                    raise errors.InputTooLarge("Reading the file took too long; it is too large or made to be slow.")
                if not selector.select(LOOK_SECONDS):
                    continue
                piece = os.read(self._process.stdout.fileno(), 1024 * 1024)
                if not piece:
                    raise self._death()
                self._buffer += piece
                if len(self._buffer) > MAX_ANSWER_BYTES:
                    raise errors.InputTooLarge("The file holds more than one task can return.")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        message: dict[str, Any] = json.loads(line)
        return message

    def _death(self) -> errors.TaskError:
        code = self._process.wait()
        if code in {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP}:
            # Not the file's doing: the machine ran out of memory, or somebody ended it.
            return errors.EngineError("The process that reads files was killed.")
        return errors.UnreadableFile(
            "Reading the file brought its reader down: it is broken, or needs more memory than a task may use."
        )


_idle: dict[int, list[Child]] = {}
_lock = threading.Lock()


@contextmanager
def child() -> Iterator[Child]:
    """Lend a child process for as long as the block lasts. It ends when the block raises; else it is kept."""
    mine = _take()
    try:
        yield mine
    except BaseException:
        # It may still be at work, or hold the file that it failed on.
        mine.close()
        raise
    _give_back(mine)


def call(function: str, /, **options: Any) -> Any:
    """Run one function in a child; see `Child.call`."""
    with child() as mine:
        return mine.call(function, **options)


def _take() -> Child:
    with _lock:
        # By process: a forked worker must not talk to the child of the process that it was forked from.
        kept = _idle.get(os.getpid(), [])
        while kept:
            mine = kept.pop()
            if mine.usable:
                return mine
            mine.close()
    return Child()


def _give_back(mine: Child) -> None:
    with _lock:
        kept = _idle.setdefault(os.getpid(), [])
        if mine.usable and not kept:
            kept.append(mine)
            return
    mine.close()


@atexit.register
def _close_idle() -> None:
    for mine in _idle.pop(os.getpid(), []):
        mine.close()


def _error_of(described: dict[str, str]) -> errors.TaskError:
    known = KNOWN_ERRORS.get(described["class"])
    if known is not None:
        return known(described["message"])
    if described["class"] == "MemoryError":
        return errors.InputTooLarge("Reading the file needs more memory than a task may use.")
    if described["class"] == "StorageFull":
        return errors.StorageFull("The machine that ran this task has no room left for files.")
    if described["class"] == "EngineError":
        return errors.EngineError(described["message"])
    error = errors.EngineError(f"{described['class']}: {described['message']}")
    error.add_note(described["traceback"])
    return error


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
