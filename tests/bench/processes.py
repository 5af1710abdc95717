"""The processes that a bench starts and watches: parts of the portal, their CPU and memory, and that of Postgres."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from django.db import connection

from tasks.models import Node

PROJECT = Path(__file__).resolve().parents[2]
LOGS = PROJECT / ".portal" / "logs"
WORKERS = 2


@contextmanager
def child(name: str, command: list[str], **extra: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process beside the bench; the end of its log is shown when the bench fails."""
    log = LOGS / f"bench-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PORTAL_PROCESS": name, "LOG_LEVEL": "WARNING"} | extra
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        except BaseException:
            print(f"{log}:\n{log.read_text()[-3000:]}", file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def node(**extra: str) -> Iterator[psutil.Process]:
    """Run a node of two workers."""
    command = [sys.executable, "manage.py", "qcluster"]
    with child("qcluster", command, WORKERS=str(WORKERS), **extra) as process:
        alive = Node.objects.filter(pid=process.pid, status="alive", beat__gt=0)
        wait_for(alive.exists)
        yield psutil.Process(process.pid)


def wait_for(condition: Callable[[], object], seconds: float = 60.0, *, every: float = 0.005) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the bench waited in vain")
        time.sleep(every)


def tree(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def cpu_seconds(root: psutil.Process) -> float:
    """Return the CPU time of a process, of all below it, and of those that have ended and were waited for."""
    total = 0.0
    for process in tree(root):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def pss_megabytes(root: psutil.Process) -> float:
    """Return what a tree of processes holds in memory, each shared page counted once in all."""
    return sum(process.memory_full_info().pss for process in tree(root)) / 1e6


def postgres() -> psutil.Process | None:
    """Return the server's main process, or None where it runs on another machine or cannot be seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    try:
        parent = psutil.Process(pid).parent()
    except psutil.NoSuchProcess:
        return None
    return parent if parent is not None and "postgres" in parent.name() else None


class Spent:
    """What a stretch of work has cost in all, so far: Postgres's CPU, and bytes of WAL."""

    def __init__(self) -> None:
        self._server = postgres()
        self._cpu = self._cpu_now()
        self._wal = _wal_now()

    def postgres_seconds(self) -> float | None:
        return None if self._server is None else self._cpu_now() - self._cpu

    def wal_bytes(self) -> int:
        return _wal_now() - self._wal

    def _cpu_now(self) -> float:
        return 0.0 if self._server is None else cpu_seconds(self._server)


def _wal_now() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])
