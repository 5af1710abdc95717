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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks import errors
from tasks.engines.processor_time import Allowance
from tasks.engines.scratch import Scratch, remove_abandoned

# Address space, of which libraries take half a gigabyte before they do anything.
MEMORY_BYTES = 3 * 1024**3
# Of processor time.
CALL_SECONDS = 300.0
MAX_ANSWER_BYTES = 128 * 1024**2
LOOK_SECONDS = 0.2
CHILD = Path(__file__).parent / "contained_child.py"
LAUNCHER = Path(__file__).parent / "limited_program.py"
# What a call may raise by name; everything else is our fault or the machine's.
KNOWN_ERRORS = {error.__name__: error for error in (errors.UnreadableFile, errors.InputTooLarge, errors.GiveUp)}

# All that a child gets to know: a file that takes it over must not find our keys in its environment.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "TESSDATA_PREFIX")

Check = Callable[[], None]
Tell = Callable[[float, str], None]


def no_check() -> None:
    """Let everything pass: for callers that are interrupted in no other way than by a kill."""


def no_tell(fraction: float, stage: str) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True)
class Kind:
    """What a child is for: children of a kind are kept for each other's work, one of each.

    Args:
        kept_rss_bytes: one that once needed more memory is not kept.
        most_calls: nor is one that was called this often, so that no library's leak grows without end.
        stalled_seconds: how long one may use no processor before it counts as stuck.
        data_bytes: how much memory of its own one may take, libraries' code not counted; 0 for no limit but
            that of the address space, most of which libraries only reserve.
    """

    name: str
    kept_rss_bytes: int = 600 * 1024**2
    most_calls: int = 10_000
    stalled_seconds: float = 180.0
    data_bytes: int = 0


READER = Kind("reader", data_bytes=1400 * 1024**2)


class Child:
    """One child process. Not for several threads at once."""

    def __init__(self, kind: Kind = READER) -> None:
        self.kind, self.calls = kind, 0
        self._scratch = Scratch()
        limits = [sys.executable, "-I", "-S", str(LAUNCHER), "0", str(MEMORY_BYTES)]
        self._process = subprocess.Popen(
            [*limits, sys.executable, "-I", str(CHILD), str(kind.data_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_environment() | {"TMPDIR": str(self._scratch.path)},
        )
        self._buffer = bytearray()
        self.rss_bytes = 0

    @property
    def usable(self) -> bool:
        worn_out = self.rss_bytes >= self.kind.kept_rss_bytes or self.calls >= self.kind.most_calls
        return self._process.poll() is None and not worn_out

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

        Arguments and what is returned are JSON; `seconds` are processor time. `check` is called meanwhile and may
        raise; then, and after every failure of its own, the child is of no more use and `close` ends it.

        Raises:
            UnreadableFile, InputTooLarge, GiveUp: as the function says; or the file brought the child down.
            EngineError: anything else that went wrong; also, the child has got stuck.
        """
        self.calls += 1
        allowance = Allowance(self._process.pid, seconds=seconds, stalled_seconds=self.kind.stalled_seconds)
        self._send({"function": function, "arguments": arguments})
        while True:
            message = self._receive(check, allowance)
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
        self._scratch.remove()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        unsent = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while unsent:
                unsent = unsent[self._process.stdin.write(unsent) :]
        except BrokenPipeError:
            raise self._death() from None

    def _receive(self, check: Check, allowance: Allowance) -> dict[str, Any]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            searched = 0
            while (end := self._buffer.find(b"\n", searched)) < 0:
                searched = len(self._buffer)
                check()
                allowance.check()
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


_idle: dict[tuple[int, str], Child] = {}
_lock = threading.Lock()


@contextmanager
def child(kind: Kind = READER) -> Iterator[Child]:
    """Lend a child process for as long as the block lasts. It ends when the block raises; else it is kept."""
    mine = _take(kind)
    try:
        yield mine
    except BaseException:
        # It may still be at work, or hold the file that it failed on.
        mine.close()
        raise
    _give_back(mine)


def call(function: str, /, *, child_kind: Kind = READER, **options: Any) -> Any:
    """Run one function in a child; see `Child.call`."""
    with child(child_kind) as mine:
        return mine.call(function, **options)


def _take(kind: Kind) -> Child:
    with _lock:
        # By process: a forked worker must not talk to the child of the process that it was forked from.
        kept = _idle.pop((os.getpid(), kind.name), None)
    if kept is not None:
        if kept.usable:
            return kept
        kept.close()
    remove_abandoned()
    return Child(kind)


def _give_back(mine: Child) -> None:
    with _lock:
        place = (os.getpid(), mine.kind.name)
        if mine.usable and place not in _idle:
            _idle[place] = mine
            return
    mine.close()


@atexit.register
def _close_idle() -> None:
    for pid, name in list(_idle):
        if pid == os.getpid():
            _idle.pop((pid, name)).close()


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
