"""The one tidy log of `make run`: each line with the name of who said it, also in `.portal/logs/NAME.log`."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import IO

COLOURS = {"portal": 37, "web": 36, "qcluster": 32, "model": 35, "prepare": 33, "samples": 34}
NAME_WIDTH = 8
FILE_BYTES = 5_000_000
FILES_KEPT = 3

_one_line = threading.Lock()


class ChildLog:
    """Takes the lines of one program."""

    def __init__(self, name: str, folder: Path) -> None:
        self._prefix = _coloured(f"{name:<{NAME_WIDTH}} │", COLOURS.get(name, 37))
        self._path = folder / f"{name}.log"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, line: str) -> None:
        """Show a line and keep it."""
        line = line.rstrip("\n")
        show(f"{self._prefix} {line}")
        # A full disk must not stop the portal from stopping.
        with _one_line, contextlib.suppress(OSError):
            rotate(self._path)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def follow(self, stream: IO[str]) -> None:
        """Take every line of a stream until its end, in a thread of its own."""

        def read() -> None:
            with stream:
                for line in stream:
                    self.write(line)

        threading.Thread(target=read, daemon=True).start()


def rotate(path: Path) -> None:
    """Begin a new file when this one is large: NAME.log.1 is the one before, and so on."""
    if not path.exists() or path.stat().st_size < FILE_BYTES:
        return
    for number in range(FILES_KEPT, 1, -1):
        older = path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))
    path.replace(path.with_name(f"{path.name}.1"))


def show(text: str) -> None:
    """Write to the terminal, or nowhere when it is gone: the portal goes on without."""
    with _one_line, contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _coloured(text: str, colour: int) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\033[{colour}m{text}\033[0m"
