"""Watches what a process and all that it started use of the processor, and ends the wait when that is too much.

Limits are processor time: on a busy machine the same work takes longer by the clock, and no file is to blame for that.
"""

from __future__ import annotations

import contextlib
import time

import psutil

from tasks.errors import EngineError, InputTooLarge

FIRST_LOOK_SECONDS, LOOK_SECONDS = 0.2, 1.0
# Less than this between two looks is a process that only waits.
LEAST_PROGRESS = 0.01


class Allowance:
    """The processor time that one piece of work may take.

    Args:
        pid: of the process that does it; what it started counts, too.
        seconds: of processor time.
        stalled_seconds: by the clock, after which a process that uses no processor at all has got stuck.
    """

    def __init__(self, pid: int, *, seconds: float, stalled_seconds: float) -> None:
        self._pid, self._seconds, self._stalled_seconds = pid, seconds, stalled_seconds
        self._began = self._seen = used_by(pid)
        self._moved_at = time.monotonic()
        self._pause = FIRST_LOOK_SECONDS
        self._next_look = self._moved_at + self._pause

    def check(self) -> None:
        """Look at the process, if the last look is some time ago.

        Raises:
            InputTooLarge: the work took more than its seconds.
            EngineError: the process has got stuck.
        """
        now = time.monotonic()
        if now < self._next_look:
            return
        self._pause = min(2 * self._pause, LOOK_SECONDS)
        self._next_look = now + self._pause
        used = used_by(self._pid)
        if used - self._began > self._seconds:
            raise InputTooLarge(f"It takes too long to read: more than {self._seconds:g} s of processor time.")
        if used - self._seen > LEAST_PROGRESS:
            self._seen, self._moved_at = used, now
        elif now - self._moved_at > self._stalled_seconds:
            raise EngineError(f"The engine did nothing for {self._stalled_seconds:g} seconds and was ended.")


def used_by(pid: int) -> float:
    """Return the seconds of processor time that a process and all its descendants have used; 0 for one that is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0
    used = 0.0
    for member in family:
        with contextlib.suppress(psutil.Error):
            times = member.cpu_times()
            # The second two: of descendants that have ended.
            used += times.user + times.system + times.children_user + times.children_system
    return used
