"""A log handler that writes a repeated message once every few seconds, with how often it came in between.

Whatever loops (the pusher, the heart, duties, listeners, pools) meets the same fault again and again while the
database is away or is not as it should be, and thousands of tracebacks hide the one that matters. The handler serves
every logger of the process, those of libraries included, so no loop needs to think of it.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from threading import Timer
from types import TracebackType
from typing import cast

from portal.log_format import LineFormatter

QUIET_SECONDS = 5.0
# More different troubles than this at once are no repetition.
MOST_KEPT = 500

# What makes two records the same trouble.
Key = tuple[object, ...]


@dataclass
class Repeated:
    """Until when others like a record that was written are not, and what came since.

    As text: a record holds on to its error, and that to every frame that it passed, with all that is in there.
    """

    until: float
    count: int = 0
    first: str = ""
    last: str = ""

    def told(self, formatter: LineFormatter) -> str:
        return self.first if self.count == 1 else formatter.counted(self.last, self.count, QUIET_SECONDS)


class RepeatsHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to standard error; warnings and worse that repeat are counted instead. Needs a LineFormatter.

    A count is told with the next such line, or with whatever is written next, or a little later by itself, or at the
    end of the process.
    """

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[Key, Repeated] = {}
        self._timer: Timer | None = None
        self._is_closed = False
        os.register_at_fork(after_in_child=self._forget)

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
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()
            self._tell_counts(float("inf"))
        finally:
            self.release()
        super().close()

    def _forget(self) -> None:
        """What the parent of a fork counted, the parent tells; and its threads are its own."""
        self._written.clear()
        self._timer = None

    def _is_repeated(self, record: logging.LogRecord, now: float) -> bool:
        """Count a record and return True, where one like it was just written; else remember it."""
        key = key_of(record)
        before = self._written.get(key)
        if before is not None:
            if before.count == 0:
                before.first = self.format(record)
            before.last = self._without_traceback(record)
            before.count += 1
            self._set_timer(now)
            return True
        if len(self._written) < MOST_KEPT:
            self._written[key] = Repeated(now + QUIET_SECONDS)
        return False

    def _without_traceback(self, record: logging.LogRecord) -> str:
        short = copy(record)
        # Instead of the traceback. The error stays for who formats: its text may have to be cut.
        short.exc_text, short.stack_info = "\n", None
        return self.format(short).rstrip("\n")

    def _tell_counts(self, now: float) -> None:
        over = [(key, seen) for key, seen in self._written.items() if seen.until <= now]
        for key, seen in over:
            del self._written[key]
            # Where nothing can be written, nobody can be told so.
            with suppress(OSError, ValueError):
                if seen.count:
                    self.stream.write(seen.told(cast(LineFormatter, self.formatter)) + self.terminator)
                    self.flush()

    def _set_timer(self, now: float) -> None:
        counted = [seen.until for seen in self._written.values() if seen.count]
        if self._timer is not None or self._is_closed or not counted:
            return
        timer = Timer(min(counted) - now, self._tell_later)
        timer.daemon = True
        # Without a thread, the count is told with whatever comes next.
        with suppress(RuntimeError):
            timer.start()
            self._timer = timer

    def _tell_later(self) -> None:
        self.acquire()
        try:
            self._timer = None
            now = time.monotonic()
            self._tell_counts(now)
            self._set_timer(now)
        finally:
            self.release()


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
