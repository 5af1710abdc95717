"""Records how attempts ended together with others that end within milliseconds: one durable commit for all of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tasks.lifecycle.finish import Ended
from tasks.lifecycle.run import record_end, record_together
from tasks.sql.turns import SharedConnections, share_connections

logger = logging.getLogger(__name__)

# Of results in one statement, and in a worker's memory; a single one may be larger.
MOST_BYTES = 4_000_000
# How soon an end is tried again whose task somebody held.
HELD_SECONDS = 0.1
# After this long whoever waits for the recorder's thread looks whether there is one.
SILENCE_SECONDS = 1.0


@dataclass
class _Kept:
    ended: Ended
    due_at: float
    is_done: threading.Event = field(default_factory=threading.Event)


class Recorder(threading.Thread):
    """Keeps what has ended until it is told to record it, or at most `keep_seconds`: then its own thread does it."""

    def __init__(self, shared: SharedConnections, *, keep_seconds: float) -> None:
        super().__init__(name="recorder", daemon=True)
        self._shared = shared
        self._keep_seconds = keep_seconds
        self._kept: list[_Kept] = []
        self._has_some = threading.Condition()
        self._recording = threading.Lock()

    def keep(self, ended: Ended) -> None:
        """Take an end to be recorded soon; at once where the handler started other tasks, which may have to wait."""
        if ended.ending.started:
            record_end(ended)
            return
        self._keep(ended)
        if self._is_full():
            self.record()

    def keep_and_wait(self, ended: Ended) -> None:
        """As `keep`; returns when it is recorded, or cannot be."""
        if ended.ending.started:
            record_end(ended)
            return
        kept = self._keep(ended)
        while not kept.is_done.wait(SILENCE_SECONDS):
            if not self.is_alive():
                self.record()

    def record_all(self) -> None:
        """Record all that is kept; what somebody holds is waited for. One that fails takes no other along.

        Raises:
            Exception: the first failure; the node finds tasks that nobody knows any more, and returns them.
        """
        failures: list[Exception] = []
        try:
            self.record()
        except Exception as error:
            failures.append(error)
        with self._recording:
            for held in self._take():
                try:
                    record_end(held.ended)
                except Exception as error:
                    failures.append(error)
                held.is_done.set()
        if failures:
            raise failures[0]

    def record(self) -> None:
        """Record all that is kept but what somebody holds. One group that fails takes no other along.

        Raises:
            Exception: the first failure.
        """
        failures: list[Exception] = []
        with self._recording:
            for group in _in_groups(self._take()):
                try:
                    held = record_together([kept.ended for kept in group])
                except Exception as error:
                    failures.append(error)
                    held = []
                self._put_back([kept for kept in group if kept.ended in held])
                for kept in group:
                    if kept.ended not in held:
                        kept.is_done.set()
        if failures:
            raise failures[0]

    def run(self) -> None:
        share_connections(self._shared)
        while True:
            with self._has_some:
                self._has_some.wait_for(lambda: self._kept)
                due_at: float = min(kept.due_at for kept in self._kept)
            if (left := due_at - time.monotonic()) > 0:
                # And look again: most are recorded by the worker itself by then.
                time.sleep(left)
                continue
            try:
                self.record()
            except Exception:
                logger.exception("could not record how attempts ended")

    def _keep(self, ended: Ended) -> _Kept:
        kept = _Kept(ended, ended.at + self._keep_seconds)
        with self._has_some:
            self._kept.append(kept)
            self._has_some.notify()
            if not self.is_alive():
                try:
                    self.start()
                except RuntimeError as error:
                    # No more threads are to be had: whoever keeps and whoever waits records as well.
                    logger.warning("the recorder has no thread: %s", error)
        return kept

    def _is_full(self) -> bool:
        with self._has_some:
            return sum(kept.ended.ending.size_bytes for kept in self._kept) > MOST_BYTES

    def _take(self) -> list[_Kept]:
        with self._has_some:
            taken, self._kept = self._kept, []
        return taken

    def _put_back(self, held: Sequence[_Kept]) -> None:
        with self._has_some:
            for kept in held:
                kept.due_at = time.monotonic() + HELD_SECONDS
            self._kept.extend(held)


def _in_groups(kept: Sequence[_Kept]) -> Iterator[list[_Kept]]:
    group: list[_Kept] = []
    size = 0
    for one in kept:
        if group and size + one.ended.ending.size_bytes > MOST_BYTES:
            yield group
            group, size = [], 0
        group.append(one)
        size += one.ended.ending.size_bytes
    if group:
        yield group
