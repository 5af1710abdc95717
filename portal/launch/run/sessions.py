"""The processes of a session: every program of `make run` leads one, and what it starts stays in it."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil

GONE_SECONDS = 5.0


def session_members(leader: int) -> list[psutil.Process]:
    """Return the processes of a session, whether or not its leader is still there."""
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members


def kill_all(processes: list[psutil.Process]) -> None:
    """Kill processes; psutil sees to it that a reused number is not meant."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)


def wait_until_gone(processes: list[psutil.Process], seconds: float = GONE_SECONDS) -> None:
    """Wait until processes are gone. Not for children of this process: it would take their exit codes."""
    psutil.wait_procs(processes, timeout=seconds)
