"""Refusals that strangers can provoke (a foreign Host header, a forged token) are one log line, not one each."""

from __future__ import annotations

import logging
import threading
import time

QUIET_SECONDS = 60.0
MOST_CHARACTERS = 300


class RefusalFilter(logging.Filter):
    """Lets one record of each logger through a minute, without its traceback, and says how many there were besides.

    For `django.security` and what is below it: Django logs refused requests there, with tracebacks that show nothing
    but Django.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(record.name, -QUIET_SECONDS) < QUIET_SECONDS:
                self._left_out[record.name] = self._left_out.get(record.name, 0) + 1
                return False
            self._last[record.name] = now
            left_out = self._left_out.pop(record.name, 0)
        # A line break in what a client sent would make a line of the log.
        message = " ".join(record.getMessage().split())[:MOST_CHARACTERS]
        record.msg, record.args = f"{message} ({left_out} more like it before)" if left_out else message, ()
        record.exc_info = record.exc_text = record.stack_info = None
        # At most: what a client did wrong is no error of ours.
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
