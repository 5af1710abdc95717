"""The hot statements read few pages whatever the statistics say: here those are from before a flood of tasks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from accounts.models import User
from tasks import sql
from tasks.figures.depths import UNFINISHED
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Attempt, Lane, Task
from tasks.models.attempt import FAILING
from tests.chaos.conftest import say
from tests.plans import multiply_held, pages_read

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

# In `make chaos` as many as there is time for in each of the four floods here, up to a million.
FLOOD = 50_000 if "CHAOS_SECONDS" in os.environ else 100_000
FLOOD_SECONDS = float(os.environ.get("CHAOS_SECONDS", "0")) / 5
MOST_PAGES = 500
UNDER_LOCKS = (
    "lifecycle/fill",
    "lifecycle/swap",
    "lifecycle/hold",
    "lifecycle/settle",
    "lifecycle/depend",
    "lifecycle/release",
    "lifecycle/due",
)
ECHO = Submission("diagnostic.echo", {"message": "x"})


@pytest.fixture
def _no_autovacuum(transactional_db: None) -> Iterator[None]:
    """Statistics and pages stay as the test has left them."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE task SET (autovacuum_enabled = off)")
        # A busy machine may take longer to empty the table than a statement usually may.
        cursor.execute("SET statement_timeout = 0")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE task RESET (autovacuum_enabled)")
        cursor.execute("RESET statement_timeout")


@pytest.mark.usefixtures("_no_autovacuum")
@pytest.mark.parametrize("table", ["new", "emptied"])
def test_hot_statements_stay_off_the_flood(
    make_user: Callable[..., User], node: UUID, claim: Callable[[], Claimed | None], table: str
) -> None:
    carol = make_user("carol", slots=8)
    # One is held: that is all that the planner will know of.
    submit_batch(carol, [ECHO] * 9)
    if table == "emptied":
        # Large, with next to nothing in it: whatever is counted, the planner takes it for one row.
        _flood()
        Task.objects.filter(content=None)._raw_delete("default")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE task, lane, queue, cluster, settlement, dependency")
    _flood()
    asked = _questions(carol, node, claim)
    pages = {name: pages_read(name, parameters, before=_as_worker) for name, parameters in asked.items()}
    # Those run on connections of the web, too, under the lanes' locks.
    pages |= {
        f"{name}, web": pages_read(
            name, asked[name], before=lambda: sql.execute("lifecycle/lock_lanes", asked["lifecycle/lock_lanes"])
        )
        for name in UNDER_LOCKS
    }
    assert {name: count for name, count in pages.items() if count > MOST_PAGES} == {}


def test_figures_stay_off_the_flood(
    make_user: Callable[..., User], node: UUID, claim: Callable[[], Claimed | None]
) -> None:
    """What pages and clients ask for now and then is left to the planner, which knows of the flood after a while."""
    carol, dave = make_user("carol", slots=8), make_user("dave", slots=8)
    submit_batch(carol, [ECHO] * 12)
    submit_batch(dave, [ECHO] * 2)
    ended = claim()
    assert ended is not None
    finish.finish_attempt(ended, ending.succeeded({"engine": {}}))
    _flood()
    _flood_of_attempts()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    asked: dict[str, dict[str, Any]] = {
        "figures/own_depths": {"cap": 100, "owner": dave.pk},
        "figures/own_counts": {"cap": 100, "owner": dave.pk, "since": UUID(int=0), "window": 3600.0},
        "figures/queue_speed": {"most": 100, "window": 60.0, "failing": list(FAILING)},
        "figures/ended_lately": {
            "since": timezone.now() - timedelta(hours=1),
            "span": timedelta(minutes=5),
            "failing": list(FAILING),
            "stride": 1,
        },
        "figures/recent_run_seconds": {"most": 100},
        "figures/cluster_load": {"cap": 100, "heartbeat": 15},
        "figures/depths": {"cap": 100, "statuses": [status.value for status in UNFINISHED]},
        "figures/held_counts": {"cap": 100, "lanes": list(Lane.objects.values_list("pk", flat=True))},
        "lifecycle/explain_wait": {
            "task": Task.objects.filter(owner=carol, status="held").latest("id").pk,
            "limit": 100,
        },
    }
    pages = {name: pages_read(name, parameters) for name, parameters in asked.items()}
    assert {name: count for name, count in pages.items() if count > MOST_PAGES} == {}


def _questions(user: User, node: UUID, claim: Callable[[], Claimed | None]) -> dict[str, dict[str, Any]]:
    lane = Lane.objects.get(user=user).pk
    running, ended = claim(), claim()
    assert running is not None
    assert ended is not None
    waiting = submit_task(user, Submission("diagnostic.echo", {"message": "x"}, after=[ended.id])).task.pk
    assert finish.record_ending(ended, ending.succeeded({"engine": {}}))
    Lane.objects.filter(pk=lane).update(slots=9)
    ready = list(Task.objects.filter(status="ready").values_list("pk", flat=True)[:3])
    Task.objects.filter(pk__in=ready).update(cancel_requested_at="2026-01-01T00:00Z")
    lanes = {"lanes": [lane]}
    claiming = {"cluster": "default", "node": node, "pid": 1, "tokens": [uuid4() for _ in range(32)], "most": 32,
                "budget": 0.01, "threads": True, "main": True, "functions": False}  # fmt: skip
    return {
        "lifecycle/lock_lanes": lanes,
        "lifecycle/fill": lanes | {"newcomers": None},
        "lifecycle/swap": lanes,
        "lifecycle/hold": lanes,
        "lifecycle/claim": claiming,
        "cluster/count_ready": {"cluster": "default", "node": node, "limit": 4, "threads": True, "functions": False},
        "lifecycle/finish": finish._parameters([finish.Ended(running, ending.succeeded({"engine": {}}))]),
        "lifecycle/settle": {"tokens": [ended.token], "lanes": [lane]},
        "lifecycle/dependent_lanes": {"tokens": [ended.token]},
        "lifecycle/depend": {"ended": [ended.id], "lanes": [lane], "limit": 500},
        "lifecycle/release": {
            "tasks": [*ready, waiting],
            "lanes": [lane],
            "cancelled": Jsonb({}),
            "expired": Jsonb({}),
        },
        "lifecycle/due": {"tasks": [waiting], "lanes": [lane]},
        "lifecycle/lanes_to_fill": {"queues": ["diagnostics", "text"], "limit": 500},
        "lifecycle/mend_low_rank": {},
        "lifecycle/mend_low_key": {},
        "lifecycle/reset_clocks": {},
        "lifecycle/refresh_warp": {},
        "lifecycle/lock_needs": {"tasks": [running.id], "owner": user.pk},
        "lifecycle/mark_needs": {"tasks": [running.id]},
        "lifecycle/count_waiting": {"user": user.pk, "limit": 101},
        "lifecycle/say": {
            "task": running.id,
            "token": running.token,
            "fraction": 0.5,
            "stage": "",
            "entries": Jsonb([]),
        },
    }


def _flood() -> None:
    rows = multiply_held(FLOOD, ends_at=time.monotonic() + FLOOD_SECONDS)
    if FLOOD_SECONDS:
        say(f"{rows:,} tasks are held")


def _flood_of_attempts() -> None:
    own = {"id", "number", "token"}
    columns = ", ".join(field.column for field in Attempt._meta.concrete_fields if field.column not in own)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO attempt (number, token, {columns}) SELECT number, gen_random_uuid(), {columns} "
            f"FROM (SELECT {columns} FROM attempt LIMIT 1) AS one, generate_series(2, %s) AS number",
            [FLOOD // 10],
        )


def _as_worker() -> None:
    with connection.cursor() as cursor:
        for option in settings.INDEX_PLANS_ONLY.split(" -c ")[1:]:
            cursor.execute(f"SET LOCAL {option.replace('=', ' = ')}")
