"""A foreign transaction that is open for long: dead rows cannot be cleaned up, and are hardly read."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F

from accounts.models import User
from tasks.lifecycle import ending, finish, sweep
from tasks.lifecycle.claim import MOST_TOGETHER, claim_tasks
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import Lane, Node, Task
from tasks.models.ids import new_id
from tests.chaos.conftest import say
from tests.plans import pages_read

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.slow,
    pytest.mark.timeout(100_000),
]

# At least so many portions, small ones; in `make chaos` as many as go through in its time, and large ones where that is
# long.
SECONDS = float(os.environ.get("CHAOS_SECONDS", "0"))
PORTIONS = 4
PORTION = 1000 if SECONDS >= 60 else 400
MOST_WAITING = 10 * PORTIONS * PORTION
SLOTS = 64
# How many pages more at the end are no more than the dead versions of a few rows that change all the time: the lane's
# (some forty a page, read three times), and, for `explain_wait`, what has run on the node: so many for each task that
# was worked off. Dead tasks of the lane would be thousands.
STEPPED_OVER = {
    "lifecycle/claim": 0.005,
    "lifecycle/fill": 0.05,
    "lifecycle/swap": 0.05,
    "lifecycle/explain_wait": 0.25,
}
ECHO = Submission("diagnostic.echo", {"message": "x"})


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


@pytest.mark.usefixtures("new_tables")
def test_dead_tasks_that_a_foreign_transaction_keeps_are_not_read(make_user: Callable[..., User]) -> None:
    """Pages, not seconds: they grow with the dead rows that are stepped over, whatever else the machine does."""
    carol = make_user("carol", slots=SLOTS, per_minute=None, per_day=None, max_waiting=MOST_WAITING)
    row = {"name": "n", "cluster_id": "default", "host": "h", "pid": 1, "version": "0", "workers": 4}
    node = Node.objects.create(id=new_id(), **row).pk
    with connection.cursor() as cursor:
        # As on a worker's connection.
        for option in settings.INDEX_PLANS_ONLY.split(" -c ")[1:]:
            cursor.execute(f"SET {option.replace('=', ' = ')}")
    pages: dict[str, list[float]] = defaultdict(list)
    ends_at = time.monotonic() + SECONDS
    portions = 0
    with foreign_transaction():
        while portions < PORTIONS or time.monotonic() < ends_at:
            portions += 1
            submit_batch(carol, [ECHO] * PORTION)
            Task.objects.filter(status__in=["held", "ready"]).update(est_seconds=0.0005)
            seconds = _work_off(node)
            with connection.cursor() as cursor:
                # As bad as statistics can be: nothing is ready just now.
                cursor.execute("ANALYZE task")
            submit_batch(carol, [ECHO] * 2 * SLOTS)
            for name, asked in _questions(node, Lane.objects.get(user=carol).pk).items():
                before = _free_a_slot if name == "lifecycle/fill" else None
                pages[name].append(median(pages_read(name, asked, before=before) for _ in range(5)))
            _work_off(node)
            read = ", ".join(f"{name} {counts[-1]:.0f}" for name, counts in pages.items())
            say(f"pages read: {read}; a claim with all its ends took {seconds * 1000:.2f} ms")
    with connection.cursor() as cursor:
        cursor.execute("RESET ALL")
    most = {name: 2 * pages[name][0] + share * portions * PORTION for name, share in STEPPED_OVER.items()}
    assert {name: counts for name, counts in pages.items() if counts[-1] > most[name]} == {}
    assert Task.objects.filter(status="succeeded").count() == portions * (PORTION + 2 * SLOTS)


def _work_off(node: UUID) -> float:
    """Run everything, with the upkeep in between; return the mean seconds of a claim with all its ends."""
    count, began = 0, time.monotonic()
    swept_at = began
    while True:
        tokens = [uuid4() for _ in range(MOST_TOGETHER)]
        claimed = claim_tasks(cluster="default", node=node, pid=1, tokens=tokens)
        if not claimed:
            return (time.monotonic() - began) / max(1, count)
        count += 1
        for one in claimed:
            finish.finish_attempt(one, ending.succeeded({"engine": {}}))
        if time.monotonic() - swept_at > 1.0:
            swept_at = time.monotonic()
            sweep.mend_low_rank()
            sweep.refresh_warp()


def _questions(node: UUID, lane: int) -> dict[str, dict[str, object]]:
    """What is asked for each task, with so many held as there are slots."""
    last = Task.objects.filter(lane=lane, status="held").latest("line_key", "pk").pk
    return {
        "lifecycle/claim": {"cluster": "default", "node": node, "pid": 1, "tokens": [uuid4()], "most": 1, "budget": 0.0,
                  "threads": True, "main": True, "functions": False},
        "lifecycle/fill": {"lanes": [lane], "newcomers": []},
        "lifecycle/swap": {"lanes": [lane]},
        "lifecycle/explain_wait": {"task": last, "limit": 1000},
    }  # fmt: skip


def _free_a_slot() -> None:
    Lane.objects.update(slots=F("slots") + 1)
