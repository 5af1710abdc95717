"""A foreign transaction that is open for long: dead rows cannot be cleaned up, and claims stay fast all the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction

from accounts.models import User
from tasks import sql
from tasks.lifecycle import finish, sweep
from tasks.lifecycle.claim import MOST_TOGETHER, claim_tasks
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import Node, Task
from tasks.models.ids import new_id
from tests.chaos.conftest import say

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.slow,
    pytest.mark.timeout(100_000),
]

# In `make chaos` as many as go through in the forty seconds of the trial, and more.
TASKS = int(os.environ.get("CHAOS_FOREIGN_TASKS", "6000"))
PORTION = 1000


@contextmanager
def foreign_transaction() -> Iterator[None]:
    """Somebody's report, or a backup: its snapshot keeps every row version that dies from now on."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM task")
            yield
    finally:
        other.close()


def test_claims_stay_fast_while_a_foreign_transaction_keeps_all_dead_rows(make_user: Callable[..., User]) -> None:
    """Pages, not seconds: they grow with the dead rows that a claim steps over, whatever else the machine does."""
    carol = make_user("carol", slots=64, per_minute=None, per_day=None, max_waiting=10 * TASKS)
    row = {"name": "n", "cluster_id": "default", "host": "h", "pid": 1, "version": "0", "workers": 4}
    node = Node.objects.create(id=new_id(), **row).pk
    with connection.cursor() as cursor:
        # As on a worker's connection.
        for option in settings.INDEX_PLANS_ONLY.split(" -c ")[1:]:
            cursor.execute(f"SET {option.replace('=', ' = ')}")
    pages, seconds = [], []
    with foreign_transaction():
        for _ in range(TASKS // PORTION):
            submit_batch(carol, [Submission("diagnostic.echo", {"message": "x"})] * PORTION)
            Task.objects.filter(status__in=["held", "ready"]).update(est_seconds=0.0005)
            seconds.append(_work_off(node))
            with connection.cursor() as cursor:
                # As bad as statistics can be: nothing is ready just now.
                cursor.execute("ANALYZE task")
            submit_batch(carol, [Submission("diagnostic.echo", {"message": "x"})] * 64)
            pages.append(median(_pages_of_a_claim(node) for _ in range(5)))
            _work_off(node)
            say(f"claims read {pages[-1]:.0f} pages, a claim took {seconds[-1] * 1000:.2f} ms")
    with connection.cursor() as cursor:
        cursor.execute("RESET ALL")
    assert len(pages) >= 4
    assert pages[-1] <= 2 * pages[0] + 20, pages
    assert Task.objects.filter(status="succeeded").count() == len(pages) * (PORTION + 64)


def _work_off(node: UUID) -> float:
    """Run everything; return the median time of a claim. The upkeep of every second comes in between."""
    took, swept_at = [], time.monotonic()
    while True:
        began = time.monotonic()
        tokens = [uuid4() for _ in range(MOST_TOGETHER)]
        claimed = claim_tasks(cluster="default", node=node, pid=1, tokens=tokens)
        took.append(time.monotonic() - began)
        if not claimed:
            return median(took)
        for one in claimed:
            finish.finish_attempt(one, finish.succeeded({"engine": {}}))
        if time.monotonic() - swept_at > 1.0:
            swept_at = time.monotonic()
            sweep.mend_low_rank()
            sweep.refresh_warp()


def _pages_of_a_claim(node: UUID) -> int:
    asked = {
        "cluster": "default", "node": node, "pid": 1, "tokens": [uuid4()], "most": 1, "budget": 0.0, "threads": True,
        "main": True,
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql.statement("claim").decode(), asked)
        [plan] = cursor.fetchone()[0]
        transaction.set_rollback(True)
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])
