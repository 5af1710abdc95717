"""Folders for the temporary files of contained processes: removed with their process, or by the next one to come.

A process that is killed cleans nothing up, and neither does a worker that dies with it. The kernel gives a folder's
lock back in each case, and that is how a folder is told that nobody needs any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "portal-reader-"
# One that was made just now may not be locked yet.
YOUNG_SECONDS = 60.0


class Scratch:
    """A folder that lasts until `remove`, or until the process that made it has died."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the folder and all that is in it; again and again does no harm."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1


def remove_abandoned() -> None:
    """Remove the folders of processes of this user that have died."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # Another process may be removing it, too; or it is somebody else's.
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > YOUNG_SECONDS and _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    # Not through a link, which somebody else may have put there.
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
