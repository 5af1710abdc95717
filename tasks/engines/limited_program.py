"""Starts a program under limits: `python limited_program.py SECONDS BYTES PROGRAM ARGUMENT…` becomes that program.

A script of its own because setting limits between fork and exec is unsafe in a process with threads.
SECONDS of processor time, 0 for no limit. On Linux the program is killed when the worker that started
it dies, however it dies.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    seconds, size, parent = int(sys.argv[1]), int(sys.argv[2]), os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            # The worker died before the line above.
            sys.exit(1)
        _limit(resource.RLIMIT_AS, size, size)
    if seconds:
        _limit(resource.RLIMIT_CPU, seconds, seconds + 1)
    _limit(resource.RLIMIT_CORE, 0, 0)
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 - the caller names the program


def _limit(kind: int, soft: int, hard: int) -> None:
    # A program that was started under limits itself may only lower them.
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    main()
