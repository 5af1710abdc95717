"""What a piece of work costs: processor time and the most memory, of this process and all that it started."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

# Children come and go: the most is looked for this often.
LOOK_SECONDS = 0.05


@dataclass
class Cost:
    """Seconds of processor time, and the most megabytes of this process and all others at one moment."""

    seconds: float = 0.0
    megabytes: float = 0.0


@contextlib.contextmanager
def measured() -> Iterator[Cost]:
    """Measure what is done in the block; the cost is told when it ends."""
    cost, ended = Cost(megabytes=_megabytes()), threading.Event()
    before = _processor_seconds()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            cost.megabytes = max(cost.megabytes, _megabytes())

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield cost
    finally:
        ended.set()
        looking.join()
        cost.seconds = _processor_seconds() - before


def _family() -> list[psutil.Process]:
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def _processor_seconds() -> float:
    # With those of children that have ended, which their parents keep.
    total = 0.0
    for process in _family():
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def _megabytes() -> float:
    total = 0
    for process in _family():
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total / 1e6
