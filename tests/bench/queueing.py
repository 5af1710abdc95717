"""Submitting, draining and picking up, in process and with a real node: the figures of the queue itself."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Sequence
from uuid import UUID

import psutil
from django.db import connection

from accounts.models import User
from tasks.lifecycle.pause import pause_queue, resume_queue
from tasks.lifecycle.submit import submit_batch, submit_task
from tasks.models import Attempt, Task, TaskContent
from tasks.sql.index_order import in_index_order
from tests.bench import processes, scene
from tests.bench.figures import Figures
from tests.bench.processes import Spent, wait_for
from tests.bench.scene import MANY, NOW, ONE, Scene
from tests.bench.wanted import Sizes

BULK = 1000
# Between two that are picked up: the node is idle again, and no beat of its own is met each time.
PAUSE_SECONDS = 0.02


def measure_submits(figures: Figures, place: Scene, sizes: Sizes, *, held: int) -> None:
    """Submit with no node at work."""
    submit_task(place.free, scene.noop())  # what the first one of a process imports is not measured
    spent, own = Spent(), time.process_time()
    seconds = _submit_each(place.free, sizes.submits)
    figures.add("enqueue", len(seconds) / sum(seconds), held=held)
    figures.add("enqueue_p50", statistics.median(seconds) * 1000, held=held)
    _add_costs(figures, "enqueue", spent, sizes.submits, client=time.process_time() - own, held=held)
    # Its slots are taken by the first of them.
    _submit_each(place.one, scene.SLOTS)
    seconds = _submit_each(place.one, sizes.submits)
    figures.add("enqueue_full", len(seconds) / sum(seconds), held=held)
    spent, own, began = Spent(), time.process_time(), time.perf_counter()
    calls = max(1, sizes.bulk // BULK)
    for _ in range(calls):
        submit_batch(place.free, [scene.noop()] * min(BULK, sizes.bulk))
    count = calls * min(BULK, sizes.bulk)
    figures.add("bulk", count / (time.perf_counter() - began), held=held)
    _add_costs(figures, "bulk", spent, count, client=time.process_time() - own, held=held)


def measure_latency(figures: Figures, place: Scene, sizes: Sizes, *, held: int) -> None:
    """Submit one after the other to an idle node; from the call to the first line of the handler."""
    called: dict[UUID, float] = {}
    for _ in range(sizes.pickups):
        at = time.time()
        called[submit_task(place.free, scene.noop()).task.pk] = at
        time.sleep(PAUSE_SECONDS)
    work_off(NOW)
    ran = TaskContent.objects.filter(task__in=called).values_list("task_id", "result__ran_at")
    waited = [(ran_at - called[task]) * 1000 for task, ran_at in ran]
    assert len(waited) == sizes.pickups, "not every task has a result"
    figures.add("latency_p50", statistics.median(waited), held=held)
    figures.add("latency_p99", statistics.quantiles(waited, n=100)[98], held=held)


def measure_drains(figures: Figures, place: Scene, sizes: Sizes, node: psutil.Process, *, held: int) -> None:
    """Drain tasks of one user and of a hundred; what is held behind waits in the same lanes."""
    if not held:
        scene.forget_estimates()
        fill(ONE, [place.one], sizes.drain_unknown)
        figures.add("drain_unknown", drain(ONE, place.one, sizes.drain_unknown), held=held)
    scene.learn_estimates()
    if not held:
        fill(ONE, [place.one], sizes.drain)
        fill(MANY, place.many, sizes.drain)
    spent, own = Spent(), processes.cpu_seconds(node)
    figures.add("drain_one", drain(ONE, place.one, sizes.drain), held=held)
    _add_costs(figures, "drain", spent, sizes.drain, client=processes.cpu_seconds(node) - own, held=held)
    figures.add("drain_many", drain(MANY, place.one, sizes.drain), held=held)


def run_one(place: Scene) -> None:
    """Run a task, so that one has ended and the workers are warm."""
    submit_task(place.free, scene.noop())
    work_off(NOW)


def fill(queue: str, users: Sequence[User], count: int) -> None:
    """Put tasks into a paused queue, as many of each user."""
    each = max(1, count // len(users))
    for user in users:
        for start in range(0, each, BULK):
            submit_batch(user, [scene.noop(queue)] * min(BULK, each - start))


def drain(queue: str, operator: User, count: int) -> float:
    """Let a paused queue go until so many tasks have ended; return how many a second, from the first start."""
    before = last_attempt()
    ended = Attempt.objects.filter(id__gt=before, task__queue=queue)
    resume_queue(queue, by=operator)
    try:
        # The first is cheap to ask, and numbers may be left out.
        wait_for(lambda: last_attempt() >= before + count and ended.count() >= count, 120, every=0.02)
    finally:
        pause_queue(queue, by=operator)
    began = min(started for (started,) in ended.order_by("id")[:100].values_list("started_at"))
    at = ended.order_by("finished_at").values_list("finished_at", flat=True)[count - 1]
    work_off(queue)
    return count / (at - began).total_seconds()


def work_off(queue: str) -> None:
    """Wait until nothing of a queue is ready or running; what a paused queue holds stays."""
    if queue == NOW:
        wait_for(lambda: not Task.objects.filter(queue=queue, status="held").exists(), 120, every=0.02)
    wait_for(lambda: not _is_under_way(queue), 120, every=0.02)


def _is_under_way(queue: str) -> bool:
    """Say whether something is ready or running; by their indexes, or a million held tasks would be read each time."""
    orders = {"ready": ("cluster", "rank"), "running": ("node",)}
    with in_index_order():
        return any(
            list(Task.objects.filter(queue=queue, status=status).order_by(*order).values_list("pk")[:1])
            for status, order in orders.items()
        )


def last_attempt() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM attempt")
        return int(cursor.fetchone()[0])


def _submit_each(user: User, times: int) -> list[float]:
    seconds = []
    for _ in itertools.repeat(None, times):
        began = time.perf_counter()
        submit_task(user, scene.noop())
        seconds.append(time.perf_counter() - began)
    return seconds


def _add_costs(figures: Figures, name: str, spent: Spent, tasks: int, *, client: float, held: int) -> None:
    figures.add(f"{name}_cpu", client / tasks * 1000, held=held)
    if (server := spent.postgres_seconds()) is not None:
        figures.add(f"{name}_cpu_postgres", server / tasks * 1000, held=held)
    figures.add(f"{name}_wal", spent.wal_bytes() / tasks, held=held)
