"""A log handler that writes the same thing once every few seconds, and how often it came in between.

Whatever loops (the pusher, the heart, duties, listeners, pools) meets the same fault again and again while the
database is away or is not what it should be: thousands of tracebacks hide the one that tells. It holds for every logger
of the process, those of libraries included, so no loop needs to think of it.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from types import TracebackType

QUIET_SECONDS = 5.0
# More different troubles than this at once are no repetition.
MOST_KEPT = 500

# What makes two records the same trouble.
Key = tuple[object, ...]


@dataclass
class Repeated:
    """A record that was written, until when others like it are not, and what came since."""

    until: float
    last: logging.LogRecord
    count: int = 0


class RepeatsHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to standard error; warnings and worse that repeat are counted instead.

    A count is told with the next such line, or with whatever is written next, or at the end of the process.
    """

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[Key, Repeated] = {}
        # What the parent of a fork counted, the parent tells.
        os.register_at_fork(after_in_child=self._written.clear)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless one like it was just written. Called under the handler's lock."""
        now = time.monotonic()
        self._tell_counts(now)
        try:
            is_repeated = record.levelno >= logging.WARNING and self._is_repeated(record, now)
        except Exception:
            # As the logging module does with what cannot be written: whoever logs is not stopped by it.
            self.handleError(record)
            return
        if not is_repeated:
            super().emit(record)

    def close(self) -> None:
        """Tell what was counted so far."""
        self.acquire()
        try:
            self._tell_counts(float("inf"))
        finally:
            self.release()
        super().close()

    def _is_repeated(self, record: logging.LogRecord, now: float) -> bool:
        """Count a record and return True, where one like it was just written; else remember it."""
        key = key_of(record)
        before = self._written.get(key)
        if before is not None:
            before.count += 1
            before.last = record
            return True
        if len(self._written) < MOST_KEPT:
            self._written[key] = Repeated(now + QUIET_SECONDS, record)
        return False

    def _tell_counts(self, now: float) -> None:
        over = [(key, seen) for key, seen in self._written.items() if seen.until <= now]
        for key, seen in over:
            del self._written[key]
            if seen.count == 1:
                super().emit(seen.last)
            elif seen.count:
                super().emit(_counted(seen))


def key_of(record: logging.LogRecord) -> Key:
    """Return what a record has in common with its repetitions.

    With a traceback it is the place and the kind of the error, since ids in the message differ; without one it is the
    message, since lines of the same form about two tasks are two things.
    """
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return (record.name, record.levelno, record.getMessage())
    return (record.name, record.levelno, str(record.msg), type(error), _place(error.__traceback__))


def _place(trace: TracebackType | None) -> tuple[str, int] | None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace and (trace.tb_frame.f_code.co_filename, trace.tb_lineno)


def _counted(seen: Repeated) -> logging.LogRecord:
    last = seen.last
    text = f"{last.getMessage()} (and {seen.count} times more in the last {QUIET_SECONDS:.0f} s)"
    return logging.LogRecord(last.name, last.levelno, last.pathname, last.lineno, text, (), None)
