"""Keeps nodes running as systemd would: starts one again when its leader has ended. And names the processes to kill."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from tests.cluster.conftest import PROJECT

# How often each is killed: a node that was killed as a whole needs seconds to come back.
ROLES = {"worker": 6, "pusher": 3, "monitor": 2, "sentinel": 1, "leader": 1, "whole node": 1}


class Supervisor:
    """`nodes` nodes of `workers` workers each, in sessions of their own, with a log each."""

    def __init__(self, *, nodes: int, workers: int, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment | {"WORKERS": str(workers), "PORTAL_PROCESS": "qcluster"}
        self._folder = folder
        self._stopping = threading.Event()
        self.starts = 0
        self.sessions: set[int] = set()
        self.killed: Counter[str] = Counter()
        self.leaders = [self._start() for _ in range(nodes)]
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def _start(self) -> psutil.Popen:
        with (self._folder / f"node-{self.starts}.log").open("wb") as log:
            leader = psutil.Popen(
                [sys.executable, "manage.py", "qcluster"],
                cwd=PROJECT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1
        self.sessions.add(leader.pid)
        return leader

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            for number, leader in enumerate(self.leaders):
                if leader.poll() is not None and not self._stopping.is_set():
                    self.leaders[number] = self._start()

    def kill_one(self, dice: random.Random) -> str:
        """`kill -9` one process, or a whole tree, chosen by chance; return which, empty when there was none."""
        [role] = dice.choices(list(ROLES), list(ROLES.values()))
        leader = dice.choice(self.leaders)
        with suppress(psutil.NoSuchProcess, IndexError, ProcessLookupError):
            victims = self._processes(leader, role, dice)
            for victim in victims:
                victim.send_signal(signal.SIGKILL)
            self.killed[role] += 1
            return f"{role} {victims[0].pid}"
        return ""

    @staticmethod
    def _processes(leader: psutil.Popen, role: str, dice: random.Random) -> list[psutil.Process]:
        if role == "leader":
            return [leader]
        if role == "whole node":
            return [leader, *leader.children(recursive=True)]
        sentinel = leader.children()[0]
        if role == "sentinel":
            return [sentinel]
        # Workers lead a group of their own; of the other two, django-q2 starts the monitor first.
        children = sorted(sentinel.children(), key=lambda child: (child.create_time(), child.pid))
        workers = [child for child in children if os.getpgid(child.pid) == child.pid]
        if role == "worker":
            return [dice.choice(workers)]
        others = [child for child in children if child not in workers]
        return [others[{"monitor": 0, "pusher": 1}[role]]]

    def stop(self) -> None:
        """SIGTERM to all; afterwards nothing may be left of any session that was ever started."""
        self._stopping.set()
        self._thread.join()
        for leader in self.leaders:
            if leader.poll() is None:
                leader.terminate()
        for leader in self.leaders:
            leader.wait(60)

    def left_over(self) -> list[psutil.Process]:
        """Return living processes of all these sessions."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
                if os.getsid(process.pid) in self.sessions and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def kill_left_over(self) -> None:
        for process in self.left_over():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def logs(self) -> str:
        """Return the ends of all logs, for a failure's report."""
        files = sorted(self._folder.glob("node-*.log"), key=lambda path: path.stat().st_mtime)
        return "\n".join(f"--- {path.name}\n{path.read_text()[-1500:]}" for path in files[-6:])


def wait_for_none(supervisor: Supervisor, *, seconds: float = 10.0) -> list[psutil.Process]:
    """Wait until nothing is left of the nodes; return what is."""
    deadline = time.monotonic() + seconds
    while (left := supervisor.left_over()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left
