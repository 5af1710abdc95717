"""`kill -9` of random processes of random nodes under load: nothing lost, nothing doubled, nothing left over."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tasks.models import Attempt, Node, Task
from tests.chaos import laws, trace
from tests.chaos.conftest import say
from tests.chaos.load import Load
from tests.chaos.supervisor import Supervisor, wait_for_none
from tests.cluster.conftest import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.slow,
    pytest.mark.timeout(100_000),
]

ROUND_SECONDS = 60.0
DRAIN_SECONDS = 120.0


@pytest.fixture
def supervisor(environment: dict[str, str], tmp_path: Path) -> Iterator[Supervisor]:
    started = Supervisor(nodes=2, workers=2, environment=environment, folder=tmp_path)
    yield started
    connection.close()
    started.stop()
    left = wait_for_none(started)
    started.kill_left_over()
    assert not left, f"these outlived their node: {left}"


def test_processes_killed_at_random_under_load_lose_and_double_nothing(
    supervisor: Supervisor, dice: random.Random, chaos_seconds: float
) -> None:
    load = Load(dice)
    wait_until(lambda: Node.objects.filter(status="alive", beat__gt=0).count() == 2, what="both nodes")
    left = chaos_seconds
    while left > 0:
        with trace.recorded():
            _kill_for(min(left, ROUND_SECONDS), supervisor, load, dice)
            wait_for_all_to_end(supervisor)
        left -= ROUND_SECONDS
        laws.check_settled(laws.take_picture(), accepted=load.accepted)
        load.explain()
        assert not load.failures(), load.failures()
        say(_summary(supervisor, load))
        if left > 0:
            _forget(load)


def _kill_for(seconds: float, supervisor: Supervisor, load: Load, dice: random.Random) -> None:
    """Kill one thing after another, with pauses from none to a second; look at the laws in between."""
    next_kill = next_look = 0.0

    def each() -> None:
        nonlocal next_kill, next_look
        now = time.monotonic()
        if now > next_kill:
            next_kill = now + dice.choice((0.05, 0.3, 1.0, 2.0))
            say(f"killed {supervisor.kill_one(dice) or 'nobody'}; {len(load.accepted)} accepted")
        if now > next_look:
            next_look = now + 1.0
            laws.check(laws.take_picture(), accepted=load.accepted)

    load.keep_up(until=time.monotonic() + seconds, each=each)


def wait_for_all_to_end(supervisor: Supervisor) -> None:
    """Wait until every task has ended and is settled; say what is stuck, and what the nodes said."""
    try:
        wait_until(
            lambda: not Task.objects.unfinished().exists() and not laws.take_picture().settlements,
            seconds=DRAIN_SECONDS,
            what="everything to end",
        )
    except AssertionError:
        stuck = Task.objects.unfinished().values_list("pk", "status", "node__status", "worker_pid", "run_after")
        say(f"never ended: {list(stuck)[:20]}")
        say(supervisor.logs())
        raise


def _summary(supervisor: Supervisor, load: Load) -> str:
    outcomes = Counter(Attempt.objects.values_list("outcome", flat=True))
    statuses = Counter(Task.objects.values_list("status", flat=True))
    return (
        f"{len(load.accepted)} accepted: {dict(statuses)}; attempts: {dict(outcomes)}; "
        f"killed: {dict(supervisor.killed)}; nodes started: {supervisor.starts}"
    )


def _forget(load: Load) -> None:
    """Begin the next round with empty tables, or an hour's pictures would become too large to read."""
    load.forget()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM dependency; DELETE FROM event; DELETE FROM attempt; DELETE FROM task_content;")
        cursor.execute("DELETE FROM task; DELETE FROM batch; DELETE FROM idempotency_key;")
