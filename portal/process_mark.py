"""A process as files name it: by its number and its start, for a number alone may be anyone's tomorrow."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

# The start is told from the boot, whose time moves by a second when the clock is set; no number comes back so soon.
SAME_START_SECONDS = 2.0


def mark(pid: int) -> dict[str, float] | None:
    """Return what a file says of a process, None when it is gone already."""
    try:
        return {"pid": pid, "started": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess:
        return None


def find(marked: Mapping[str, float] | None) -> psutil.Process | None:
    """Return the process that a file names, if it is still there and still the same."""
    if not marked:
        return None
    try:
        process = psutil.Process(int(marked["pid"]))
        same = abs(process.create_time() - marked["started"]) < SAME_START_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None
