"""Keeps programs running: starts each in a session of its own, again when it dies, and stops them in order."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from portal.launch.run.child_log import ChildLog
from portal.launch.run.sessions import kill_all, session_members, wait_until_gone

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 15.0
# Who lived this long was healthy: its next death starts with the first delay again.
HEALTHY_SECONDS = 30.0


@dataclass(frozen=True)
class Program:
    """What to run. `stop_seconds` is how long it may take to end after SIGTERM."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    descriptors: Sequence[int] = ()
    stop_seconds: float = 5.0


class Child:
    """One program and its present process."""

    def __init__(self, program: Program, log: ChildLog) -> None:
        self.program = program
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0
        self._delay = FIRST_DELAY_SECONDS

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        # In a session of its own: the terminal's Ctrl-C must reach only the supervisor.
        self._process = subprocess.Popen(
            self.program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=dict(self.program.environment),
            pass_fds=self.program.descriptors,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._log.follow(self._process.stdout)
        self._started_at = time.monotonic()

    def exit_code(self) -> int | None:
        """Return how the process ended, None while it runs."""
        return self._process.poll() if self._process else None

    def keep_running(self) -> bool:
        """Start the program again if it died and its delay is over; return whether that was done."""
        now = time.monotonic()
        if self._start_again_at:
            if now < self._start_again_at:
                return False
            self._start_again_at = 0.0
            self.start()
            return True
        code = self.exit_code()
        if code is not None:
            self.kill()
            if now - self._started_at > HEALTHY_SECONDS:
                self._delay = FIRST_DELAY_SECONDS
            self._log.write(f"ended with code {code}; starting it again in {self._delay:g} s")
            self._start_again_at = now + self._delay
            self._delay = min(self._delay * 2, LONGEST_DELAY_SECONDS)
        return False

    def ask_to_stop(self) -> None:
        # The leader only: qcluster stops its own children in order, and hangs if they are told as well.
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill what is left of the session: the process, and what it left behind."""
        if self._process:
            members = session_members(self._process.pid)
            kill_all(members)
            self._process.wait()
            wait_until_gone([member for member in members if member.pid != self._process.pid])


def stop_all(stages: Sequence[Sequence[Child]], *, hurry: Callable[[], bool]) -> None:
    """Stop children, a stage after the other; who does not end in time, or when told to hurry, is killed."""
    for children in stages:
        asked_at = time.monotonic()
        for child in children:
            child.ask_to_stop()
        for child in children:
            deadline = asked_at + child.program.stop_seconds
            while child.pid and child.exit_code() is None and time.monotonic() < deadline and not hurry():
                time.sleep(0.05)
            child.kill()
