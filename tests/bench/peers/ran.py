"""What a peer's handler does: it notes that it ran, in a file that the bench reads: a microsecond."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

FOLDER = "BENCH_RAN"
MARK = b"."


class Ran:
    """Notes of one worker process. Written in one piece to the end, so that processes may share the files."""

    def __init__(self) -> None:
        folder = Path(os.environ[FOLDER])
        mode = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._marks = os.open(folder / "marks", mode)
        self._times = os.open(folder / "times", mode)

    def note(self, called_at: float) -> None:
        """Note a run; of a task that was called at a time that matters, how long it took, too."""
        if called_at:
            os.write(self._times, struct.pack("d", time.time() - called_at))
        os.write(self._marks, MARK)


def count(folder: Path) -> int:
    """Return how many have run."""
    return (folder / "marks").stat().st_size if (folder / "marks").exists() else 0


def seconds(folder: Path) -> list[float]:
    """Return how long each took from its call."""
    return [value for (value,) in _unpacked(folder / "times")]


def _unpacked(path: Path) -> Iterator[tuple[float]]:
    return struct.iter_unpack("d", path.read_bytes()) if path.exists() else iter(())
