"""How fair and how prompt: a light user beside a flood, shares by weight, waits side by side, kills; for `make bench`.

Real nodes on the bench's database; each figure is printed beside its aim.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Any

import psutil
from django.db import connection
from django.db.models import F, Sum

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.fill import locked_lanes
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.lifecycle.sweep import end_cancelled_and_expired
from tasks.models import Attempt, Lane, Node, Task
from tests.bench.scene import make_user

FLOOD = 10_000
FLOOD_SECONDS = 0.1
LIGHT_TASKS = 60
WEIGHTS = {1: 0.010, 2: 0.040, 4: 0.010}
SHARE_SECONDS = 20.0
SLOTS = 16
WAITS = 64
KILLS = 5
QCLUSTER = [sys.executable, "manage.py", "qcluster"]

StartChild = Callable[..., AbstractContextManager["subprocess.Popen[bytes]"]]
WaitFor = Callable[..., None]


class Fairness:
    """`child` starts a process beside the bench, `wait_for` polls a condition."""

    def __init__(self, child: StartChild, wait_for: WaitFor) -> None:
        self._child = child
        self._wait_for = wait_for
        self._missed: list[str] = []

    def run(self) -> list[str]:
        """Measure all of it; return what missed its aim."""
        print(f"\n{'fairness and recovery':58}{'seen':>12}{'aim':>14}")
        with self._node(workers=2, WORKER_THREADS="0"):
            self._light_beside_flood()
        with self._node(workers=4, WORKER_THREADS="0"):
            self._shares_by_weight()
        with self._node(workers=2):
            self._waits_side_by_side()
            self._kill_workers()
        self._lose_a_node()
        return self._missed

    # --- Fairness ---------------------------------------------------------------------------------

    def _light_beside_flood(self) -> None:
        heavy, light = make_user("flood", slots=SLOTS), make_user("light", slots=SLOTS)
        for _ in range(FLOOD // 1000):
            submit_batch(heavy, [sleep(FLOOD_SECONDS)] * 1000)
        self._wait_for(lambda: Attempt.objects.filter(task__owner=heavy).count() > 20)
        tasks = []
        for _ in range(LIGHT_TASKS):
            tasks.append(submit_task(light, Submission("diagnostic.echo", {"message": "x"})).task.pk)
            # Neither in step with the flood's tasks nor so often that it is a flood of its own.
            time.sleep(0.13)
        self._wait_for(lambda: not Task.objects.filter(pk__in=tasks).unfinished().exists())
        waits = [
            (started - created).total_seconds()
            for created, started in Task.objects.filter(pk__in=tasks).values_list("created_at", "started_at")
            if started is not None
        ]
        p95 = statistics.quantiles(waits, n=20)[-1]
        aim = 1.5 * FLOOD_SECONDS + 0.05
        self._show(f"light user's wait beside {FLOOD:,} of {FLOOD_SECONDS:g} s, p50", statistics.median(waits), None)
        self._show("the same, p95", p95, aim)
        self._forget(heavy, light)

    def _shares_by_weight(self) -> None:
        users = {weight: make_user(f"weight {weight}", slots=SLOTS, weight=weight) for weight in WEIGHTS}
        for weight, user in users.items():
            for _ in range(8):
                submit_batch(user, [sleep(WEIGHTS[weight])] * 1000)
        # The first tasks are charged by a guess; then their types' estimates are learned.
        time.sleep(5)
        began = database_time()
        psutil.cpu_times_percent(None)
        time.sleep(SHARE_SECONDS)
        spent = {weight: seconds_used(user, since=began) for weight, user in users.items()}
        backlog = all(Task.objects.of(user).filter(status="held").exists() for user in users.values())
        total, weights = sum(spent.values()), sum(WEIGHTS)
        for weight, seconds in spent.items():
            name = f"share of weight {weight}, tasks of {WEIGHTS[weight] * 1000:.0f} ms"
            print(f"{name:58}{seconds / total:>11.1%} {weight / weights:>9.1%} ±3 %", flush=True)
            if abs(seconds / total - weight / weights) > 0.03:
                self._missed.append(name)
        busy = 100 - psutil.cpu_times_percent(None).idle
        print(
            f"    ({total / SHARE_SECONDS:.1f} of 4 workers busy, CPU at {busy:.0f} %; a backlog throughout: {backlog})"
        )
        self._forget(*users.values())

    def _waits_side_by_side(self) -> None:
        user = make_user("waits", slots=WAITS)
        began = time.perf_counter()
        tasks = [task.pk for task in submit_batch(user, [sleep(1.0)] * WAITS).batch.tasks.all()]
        self._wait_for(lambda: not Task.objects.filter(pk__in=tasks).unfinished().exists())
        self._show(f"{WAITS} waits of a second, one node, default settings", time.perf_counter() - began, 2.0)
        self._forget(user)

    # --- Recovery ---------------------------------------------------------------------------------

    def _kill_workers(self) -> None:
        user = make_user("killed", slots=SLOTS)
        took = []
        for _ in range(KILLS):
            task = submit_task(user, Submission("diagnostic.fail", {"mode": "cpu", "seconds": 20})).task.pk
            first = self._running(task)
            psutil.Process(first.worker_pid or 0).kill()
            took.append(self._seconds_until_again(task, first))
            cancel_task(task, by=user)
            self._wait_for(lambda: not Task.objects.unfinished().exists())
        self._show("worker killed → its task runs again, slowest of five", max(took), 3.0)
        self._forget(user)

    def _lose_a_node(self) -> None:
        user = make_user("lost", slots=SLOTS)
        with ExitStack() as nodes:
            lost = nodes.enter_context(self._node(workers=1))
            task = submit_task(user, sleep(60.0)).task.pk
            first = self._running(task)
            nodes.enter_context(self._node(workers=1))
            leader = psutil.Process(lost.pid)
            for process in [leader, *leader.children(recursive=True)]:
                process.send_signal(signal.SIGKILL)
            self._show("node lost → its task runs again", self._seconds_until_again(task, first), 20.0)
            cancel_task(task, by=user)
            self._wait_for(lambda: not Task.objects.unfinished().exists())
        self._forget(user)

    # --- What they share --------------------------------------------------------------------------

    def _show(self, what: str, seconds: float, aim: float | None) -> None:
        wanted = "" if aim is None else f"≤ {aim:.2f} s"
        print(f"{what:58}{seconds:>10.3f} s{wanted:>14}", flush=True)
        if aim is not None and seconds > aim:
            self._missed.append(what)

    @contextmanager
    def _node(self, *, workers: int, **extra: str) -> Iterator[subprocess.Popen[bytes]]:
        name = f"fairness-{Node.objects.count()}"
        with self._child(name, QCLUSTER, PORTAL_PROCESS="qcluster", WORKERS=str(workers), **extra) as process:
            self._wait_for(lambda: Node.objects.filter(pid=process.pid, status="alive", beat__gt=0).exists())
            yield process

    def _running(self, task: Any) -> Task:
        self._wait_for(lambda: Task.objects.get(pk=task).status == "running")
        return Task.objects.get(pk=task)

    def _seconds_until_again(self, task: Any, first: Task) -> float:
        began = time.perf_counter()
        again = Task.objects.filter(pk=task, status="running").exclude(token=first.token)
        self._wait_for(again.exists)
        return time.perf_counter() - began

    def _forget(self, *users: User) -> None:
        """Empty the lanes, so that the next measurement begins on its own."""
        lanes = Lane.objects.filter(user__in=users).values_list("pk", flat=True)
        # Held, so that nobody readies tasks in another order than they are changed here.
        with locked_lanes(lanes), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE task SET cancel_requested_at = now() - interval '9 s'"
                " WHERE owner_id = ANY(%s) AND status NOT IN ('succeeded', 'failed', 'cancelled', 'expired')",
                [[user.pk for user in users]],
            )
        while end_cancelled_and_expired():
            pass
        self._wait_for(lambda: not Task.objects.unfinished().exists())


def sleep(seconds: float) -> Submission:
    return Submission("diagnostic.sleep", {"seconds": seconds})


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def seconds_used(user: User, *, since: datetime) -> float:
    """Return the worker time of a user's attempts that began since then and have ended."""
    ended = Attempt.objects.filter(task__owner=user, started_at__gte=since)
    used = ended.aggregate(used=Sum(F("finished_at") - F("started_at")))["used"]
    return float(used.total_seconds()) if used else 0.0
