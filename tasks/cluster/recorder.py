"""Records how attempts ended together with others that end within milliseconds: one durable commit for all of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence

from tasks.lifecycle.finish import Ended
from tasks.lifecycle.run import record_together
from tasks.sql.turns import SharedConnections, share_connections

logger = logging.getLogger(__name__)

# Of results in one statement, and in a worker's memory; a single one may be larger.
MOST_BYTES = 4_000_000


class Recorder(threading.Thread):
    """Keeps what has ended until it is told to record it, or at most `keep_seconds`: then its own thread does it."""

    def __init__(self, shared: SharedConnections, *, keep_seconds: float) -> None:
        super().__init__(name="recorder", daemon=True)
        self._shared = shared
        self._keep_seconds = keep_seconds
        self._kept: list[tuple[Ended, threading.Event]] = []
        self._has_some = threading.Condition()
        self._recording = threading.Lock()
        self._is_started = False

    def keep(self, ended: Ended) -> threading.Event:
        """Take an end to be recorded soon; the event is set when that is done, or cannot be done."""
        recorded = threading.Event()
        with self._has_some:
            self._kept.append((ended, recorded))
            self._has_some.notify()
            if not self._is_started:
                self._is_started = True
                self.start()
        return recorded

    @property
    def is_full(self) -> bool:
        """Return whether results of such size are kept that they should be recorded now."""
        return sum(ended.ending.size_bytes for ended, _ in self._kept) > MOST_BYTES

    def record(self) -> None:
        """Record all that is kept, and wait for what the thread is recording just now.

        Raises:
            DatabaseError: the database stayed away; the node finds tasks that nobody knows any more, and returns them.
        """
        with self._recording:
            with self._has_some:
                kept, self._kept = self._kept, []
            try:
                for group in _in_groups([ended for ended, _ in kept]):
                    record_together(group)
            finally:
                for _, recorded in kept:
                    recorded.set()

    def run(self) -> None:
        share_connections(self._shared)
        while True:
            with self._has_some:
                self._has_some.wait_for(lambda: self._kept)
                oldest: float = self._kept[0][0].at
            if (left := oldest + self._keep_seconds - time.monotonic()) > 0:
                # And look again: most are recorded by the worker itself by then.
                time.sleep(left)
                continue
            try:
                self.record()
            except Exception:
                logger.exception("ends of attempts could not be recorded")


def _in_groups(ended: Sequence[Ended]) -> Iterator[list[Ended]]:
    group: list[Ended] = []
    size = 0
    for one in ended:
        if group and size + one.ending.size_bytes > MOST_BYTES:
            yield group
            group, size = [], 0
        group.append(one)
        size += one.ending.size_bytes
    if group:
        yield group
