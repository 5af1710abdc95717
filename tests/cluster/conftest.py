"""Real `qcluster` processes on the test database: started, watched, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connection

from tasks.models import Node, Task, TaskContent
from tests.web.live import environment_of_test

PROJECT = Path(__file__).resolve().parents[2]
# Waits end when what they are for is there; this is for machines that have other things to do.
PATIENCE_SECONDS = 120.0


def wait_until(
    condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS, what: str = "the condition"
) -> None:
    """Poll until `condition` holds; fail after `seconds`, saying what was waited for."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        assert waited < seconds, f"waited {seconds} s for {what}"
        # What takes long is asked for less often: each time costs the processors that it needs itself.
        time.sleep(min(0.1, max(0.02, waited / 20)))


def wait_for_end(*tasks: Task, seconds: float = PATIENCE_SECONDS) -> None:
    """Poll until all tasks are terminal, and read them anew."""
    ids = [task.pk for task in tasks]
    try:
        wait_until(lambda: not Task.objects.filter(pk__in=ids).unfinished().exists(), seconds=seconds, what="the end")
    finally:
        for task in tasks:
            task.refresh_from_db()


def shorten(tasks: Iterable[Task]) -> None:
    """Let attempts of `diagnostic.sleep` that begin from now on take a moment; those that run have read their input."""
    TaskContent.objects.filter(task__in=tasks).update(input={"seconds": 0.1})


def somebody_waits() -> bool:
    """Say whether a connection of this database waits for a lock."""
    with connection.cursor() as cursor:
        # Within a transaction the view shows what it showed first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        waiting: int = cursor.fetchone()[0]
    return waiting > 0


def is_gone(process: psutil.Process) -> bool:
    """Say whether a process has ended, whether or not somebody has looked at how."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def database_now() -> datetime:
    """Return the time by the clock that `started_at` is taken from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


class RunningNode:
    """One `qcluster` in a session of its own."""

    def __init__(self, *, workers: int, environment: dict[str, str], log: Path) -> None:
        self.log = log
        self._worker_count = workers
        with log.open("wb") as output:
            self.leader = psutil.Popen(
                [sys.executable, "manage.py", "qcluster"],
                cwd=PROJECT,
                env=environment | {"WORKERS": str(workers), "PORTAL_PROCESS": "qcluster"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until(self._is_alive, what=f"a heartbeat; {log} says why not")

    def _is_alive(self) -> bool:
        assert self.leader.is_running(), self.log.read_text()
        assert self.leader.status() != psutil.STATUS_ZOMBIE, self.log.read_text()
        return Node.objects.filter(pid=self.leader.pid, status="alive", beat__gt=0).exists()

    @property
    def row(self) -> Node:
        return Node.objects.get(pid=self.leader.pid)

    @property
    def sentinel(self) -> psutil.Process:
        return self.leader.children()[0]

    @property
    def processes(self) -> list[psutil.Process]:
        return [self.leader, *self.leader.children(recursive=True)]

    def workers(self) -> list[psutil.Process]:
        """Return the workers, once all are there. They lead process groups of their own."""
        wait_until(lambda: len(self._children(are_workers=True)) == self._worker_count, what="all workers")
        return self._children(are_workers=True)

    def helpers(self) -> tuple[psutil.Process, psutil.Process]:
        """Return the monitor and the pusher, which have no group of their own; django-q2 starts the monitor first."""
        self.workers()  # which have none either at first
        wait_until(lambda: len(self._children(are_workers=False)) == 2, what="the monitor and the pusher")
        monitor, pusher = sorted(
            self._children(are_workers=False), key=lambda process: (process.create_time(), process.pid)
        )
        return monitor, pusher

    def _children(self, *, are_workers: bool) -> list[psutil.Process]:
        found = []
        for child in self.sentinel.children():
            with suppress(ProcessLookupError):
                if (os.getpgid(child.pid) == child.pid) == are_workers and not is_gone(child):
                    found.append(child)
        return found

    def wait_for_beats(self, count: int) -> None:
        """Return when the heart has beaten so many times more."""
        before = self.row.beat
        wait_until(lambda: self.row.beat >= before + count, what=f"{count} heartbeats")

    def kill(self) -> None:
        """`kill -9` of the whole tree."""
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        self.leader.wait(PATIENCE_SECONDS)

    def stop(self, seconds: float = PATIENCE_SECONDS) -> None:
        """SIGTERM to the leader, as an operator or systemd does."""
        if self.leader.is_running():
            processes = self.processes
            self.leader.send_signal(signal.SIGTERM)
            try:
                self.leader.wait(seconds)
            except psutil.TimeoutExpired:
                for process in processes:
                    if process.is_running():
                        process.kill()
                raise AssertionError(f"the node did not stop within {seconds} s:\n{self.log.read_text()}") from None


@pytest.fixture
def environment(settings: Any) -> dict[str, str]:
    """The environment of child processes: this test's database and files."""
    return environment_of_test(media=settings.MEDIA_ROOT) | {"STOP_GRACE_SECONDS": "1"}


@pytest.fixture
def start_node(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., RunningNode]]:
    """Start nodes; they are stopped after the test, and killed if they do not stop."""
    nodes: list[RunningNode] = []

    def start(*, workers: int = 2, **extra: str) -> RunningNode:
        node = RunningNode(workers=workers, environment=environment | extra, log=tmp_path / f"node-{len(nodes)}.log")
        nodes.append(node)
        return node

    yield start
    connection.close()
    for node in nodes:
        if node.leader.is_running() and node.leader.status() != psutil.STATUS_ZOMBIE:
            node.stop()
        node.leader.wait(PATIENCE_SECONDS)
