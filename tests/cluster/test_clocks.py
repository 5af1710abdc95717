"""Only the database's clock decides: nodes whose own is a day wrong do everything at the right time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Node, Task

from .conftest import RunningNode, wait_for_end, wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]
SKEWED = str(Path(__file__).parent / "skewed")
DAY = 86_400


def wrong_by(seconds: int) -> dict[str, str]:
    return {"PYTHONPATH": SKEWED, "CLOCK_SKEW_SECONDS": str(seconds)}


def test_clock_of_a_node_is_really_wrong(environment: dict[str, str]) -> None:
    """Or the tests here would show nothing."""
    script = "import time, datetime; print(time.time(), datetime.datetime.now(datetime.UTC).timestamp())"
    answer = subprocess.run(
        [sys.executable, "-c", script], env=environment | wrong_by(DAY), capture_output=True, text=True, check=True
    )
    for shown in answer.stdout.split():
        assert float(shown) - time.time() == pytest.approx(DAY, abs=3600)


@pytest.mark.parametrize("skew", [DAY, -DAY], ids=["a day ahead", "a day behind"])
def test_node_with_a_wrong_clock_does_everything_at_the_right_time(
    alice: User, start_node: StartNode, skew: int
) -> None:
    node = start_node(**wrong_by(skew))
    now = datetime.now(UTC)

    def submit(type_: str, data: dict[str, object], **options: object) -> Task:
        return submit_task(alice, Submission(type_, data, **options)).task  # type: ignore[arg-type]

    plain = submit("diagnostic.echo", {"message": "x"}, start_before=now + timedelta(hours=1))
    later = submit("diagnostic.echo", {"message": "x"}, run_after=now + timedelta(seconds=3))
    tomorrow = submit("diagnostic.echo", {"message": "x"}, run_after=now + timedelta(hours=12))
    failing = submit("diagnostic.fail", {"mode": "retry", "times": 1, "seconds": 2})
    wait_for_end(plain, later, failing)
    assert [task.status for task in (plain, later, failing)] == ["succeeded"] * 3
    assert later.started_at >= now + timedelta(seconds=2.5)
    assert Task.objects.get(pk=tomorrow.pk).status == "scheduled"
    first, second = failing.attempts.order_by("number")
    assert timedelta(seconds=1.5) < second.started_at - first.finished_at < timedelta(hours=1)
    for task in (plain, later, failing):
        assert _seconds_ago(task) < 3600, "the node wrote a time of its own"

    late = submit("diagnostic.sleep", {"seconds": 600}, timeout=1, max_attempts=1)
    running = submit("diagnostic.sleep", {"seconds": 600})
    wait_until(lambda: Task.objects.get(pk=running.pk).status == "running", what="the start")
    cancel_task(running.pk, by=alice)
    wait_for_end(late, running)
    assert (late.error["code"], running.status) == ("timed_out", "cancelled")
    assert node.row.status == "alive"


def test_nodes_whose_clocks_differ_by_two_days_take_each_other_for_alive(start_node: StartNode) -> None:
    ahead, behind = start_node(**wrong_by(DAY)), start_node(**wrong_by(-DAY))
    for node in (ahead, behind):
        node.wait_for_beats(2)
    assert set(Node.objects.values_list("status", flat=True)) == {"alive"}


def _seconds_ago(task: Task) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT abs(extract(epoch FROM clock_timestamp() - finished_at)) FROM task WHERE id = %s", [task.pk]
        )
        seconds: float = cursor.fetchone()[0]
    return float(seconds)
