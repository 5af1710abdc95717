"""Ties a process to its parent: after `kill -9` of a sentinel its children must not live on."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

_tied: tuple[int, int] | None = None


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies (Linux, prctl(2)); remember the parent elsewhere.

    Cheap to call again; does its work once a process.
    """
    global _tied
    if _tied is not None and _tied[0] == os.getpid():
        return
    # Who forked it, not who is its parent by now: on a busy machine it may be an orphan before it comes to this call.
    forked_by = multiprocessing.parent_process()
    parent = os.getppid() if forked_by is None or forked_by.pid is None else forked_by.pid
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)
    _tied = (os.getpid(), parent)


def orphaned() -> bool:
    """Return whether the parent that this process was tied to is gone."""
    return _tied is not None and _tied[0] == os.getpid() and os.getppid() != _tied[1]
