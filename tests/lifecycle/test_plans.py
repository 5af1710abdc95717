"""The hot statements read few pages whatever the statistics say: here those are from before a flood of tasks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from psycopg.types.json import Jsonb

from accounts.limits import limits_of
from accounts.models import User
from tasks import sql
from tasks.duties import all_duties
from tasks.figures.depths import UNFINISHED
from tasks.figures.roll_up import KEPT
from tasks.lifecycle import admit, ending, finish, keep, store
from tasks.lifecycle.accept import accept
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Attempt, Lane, Queue, Task
from tasks.models.attempt import FAILING
from tasks.models.ids import new_id
from tasks.sql.index_order import in_index_order
from tests.chaos.conftest import say
from tests.growth.reading import AS_A_NODE, statements_seen
from tests.plans import multiply_held, pages_read

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

# In `make chaos` as many as there is time for in each of the four floods here, up to a million.
FLOOD = 50_000 if "CHAOS_SECONDS" in os.environ else 100_000
FLOOD_SECONDS = float(os.environ.get("CHAOS_SECONDS", "0")) / 5
# Counting what waits up to its cap, as the alarms do, reads 430; all of a flood would be thousands.
MOST_PAGES = 700
# Until a duty has nothing to do any more.
MOST_ROUNDS = 20
UNDER_LOCKS = (
    "lifecycle/fill",
    "lifecycle/swap",
    "lifecycle/hold",
    "lifecycle/settle",
    "lifecycle/depend",
    "lifecycle/release",
    "lifecycle/due",
)
# Upkeep that looks at every lane, once a second at most: an index of the active ones would keep fills from being HOT.
OF_ALL_LANES = ("lifecycle/mend_low_key", "lifecycle/refresh_warp", "lifecycle/reset_clocks")
IN_INDEX_ORDER = ("figures/cluster_load", "figures/depths", "lifecycle/lanes_to_hold")
DUTIES_OF_ALL_LANES = ("duty mend_low_key", "duty refresh_warp", "duty reset_clocks", "duty refresh_lanes")
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


@pytest.mark.usefixtures("new_tables", "_no_autovacuum")
@pytest.mark.parametrize("table", ["new", "emptied, with many lanes"])
def test_hot_statements_stay_off_the_flood(
    make_user: Callable[..., User], node: UUID, claim: Callable[[], Claimed | None], table: str
) -> None:
    carol = make_user("carol", slots=8)
    # One is held: that is all that the planner will know of.
    submit_batch(carol, [ECHO] * 9)
    Queue.objects.filter(pk="documents").update(paused_at=Now())
    if table != "new":
        _flood_of_lanes()
        # Large, with next to nothing in it: whatever is counted, the planner takes it for one row.
        _flood()
        Task.objects.filter(content=None)._raw_delete("default")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE task, lane, queue, cluster, settlement, dependency")
    _flood()
    asked = _questions(carol, node, claim)
    if table != "new":
        asked = {name: parameters for name, parameters in asked.items() if name not in OF_ALL_LANES}
    pages = {name: pages_read(name, parameters, before=_as_worker) for name, parameters in asked.items()}
    # Those run on connections of the web, too, under the lanes' locks.
    pages |= {
        f"{name}, web": pages_read(
            name, asked[name], before=lambda: sql.execute("lifecycle/lock_lanes", asked["lifecycle/lock_lanes"])
        )
        for name in UNDER_LOCKS
    }
    duties = _pages_of_duties()
    pages |= {name: count for name, count in duties.items() if table == "new" or name not in DUTIES_OF_ALL_LANES}
    assert {name: count for name, count in pages.items() if count > MOST_PAGES} == {}


@pytest.mark.usefixtures("new_tables", "_no_autovacuum")
def test_figures_and_duties_stay_off_the_flood(
    make_user: Callable[..., User], node: UUID, claim: Callable[[], Claimed | None]
) -> None:
    """The planner knows of the flood after a while, but of statuses nothing: so it takes what is held for little.

    What pages and clients ask for now and then is left to it, and so are duties.
    """
    carol, dave = make_user("carol", slots=8), make_user("dave", slots=8)
    submit_batch(carol, [ECHO] * 12)
    submit_batch(dave, [ECHO] * 2)
    Queue.objects.filter(pk="documents").update(paused_at=Now())
    ended = claim()
    assert ended is not None
    finish.finish_attempt(ended, ending.succeeded({"engine": {}}))
    _flood()
    _flood_of_attempts()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    last = Attempt.objects.latest("id").pk
    asked: dict[str, dict[str, Any]] = {
        "figures/own_depths": {"cap": 100, "owner": dave.pk},
        "figures/own_counts": {"cap": 100, "owner": dave.pk, "since": UUID(int=0), "window": 3600.0},
        "figures/read_rollups": {
            "width": 60,
            "first": timezone.now() - timedelta(hours=1),
            "since": timezone.now() - timedelta(hours=1),
            "until": timezone.now(),
            "span": timedelta(minutes=5),
            "by": "queue",
            "queue": "",
            "type": "",
            "owner": None,
            "failing": list(FAILING),
            "most": 50,
        },
        "figures/move_rollup_mark": {"limit": 50, "look_back": 1e6},
        "figures/roll_up": {
            "after": last - 20,
            "until": last,
            "late": [last - 30],
            "first": 0,
            "before": 0,
            "look_back": 1e6,
            "seconds": [width.seconds for width in KEPT],
            "own": [width.is_own for width in KEPT],
        },
        "figures/forget_rollups": {"seconds": 60, "keep": 3600.0, "own": False, "limit": 50},
        "figures/recent_run_seconds": {"most": 100},
        "figures/cluster_load": {"cap": 100, "heartbeat": 15},
        "figures/depths": {"cap": 100, "few": 10, "statuses": [status.value for status in UNFINISHED]},
        "figures/held_counts": {"cap": 100, "lanes": list(Lane.objects.values_list("pk", flat=True))},
        "lifecycle/lanes_to_hold": {"passed_over": [], "limit": 500},
        "lifecycle/explain_wait": {
            "task": Task.objects.filter(owner=carol, status="held").latest("id").pk,
            "limit": 100,
        },
    }
    pages = {name: pages_read(name, parameters) for name, parameters in asked.items() if name not in IN_INDEX_ORDER}
    with in_index_order():
        pages |= {name: pages_read(name, asked[name]) for name in IN_INDEX_ORDER}
    pages |= _pages_of_duties()
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
    held = Task.objects.filter(status="held").values_list("pk", flat=True)[0]
    accepted = accept(user, limits_of(user), ECHO)
    counting = admit.count_at_once(limits_of(user), [accepted], overrides="", rate=True)
    given = store._given(user, [accepted], counting | {"arrives": True, "lanes": [lane]}, None)
    lanes = {"lanes": [lane]}
    claiming = {"cluster": "default", "node": node, "pid": 1, "tokens": [uuid4() for _ in range(32)], "most": 32,
                "budget": 0.01, "threads": True, "main": True, "functions": False}  # fmt: skip
    return {
        "lifecycle/lock_lanes": lanes,
        "lifecycle/lock_free_lanes": lanes,
        "lifecycle/fill": lanes | {"newcomers": None},
        "lifecycle/swap": lanes,
        "lifecycle/hold": lanes,
        "lifecycle/claim": claiming,
        "cluster/count_ready": {"cluster": "default", "node": node, "limit": 4, "threads": True, "functions": False},
        "lifecycle/finish": {
            "ends": Jsonb([finish._as_json(finish.Ended(running, ending.succeeded({"engine": {}})), 0.0)]),
            "cancelled": Jsonb({}),
            "wait": False,
        },
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
        "lifecycle/lanes_to_hold": {"passed_over": [], "limit": 500},
        "lifecycle/lanes_to_fill": {"queues": ["diagnostics", "text"], "limit": 500},
        "lifecycle/mend_low_rank": {},
        "lifecycle/mend_low_key": {},
        "lifecycle/reset_clocks": {},
        "lifecycle/refresh_warp": {},
        "lifecycle/look_at_newcomers": {"tasks": [held, waiting]},
        "lifecycle/insert_task": given,
        "lifecycle/insert_tasks": given | store._arrays([accepted, accepted._replace(id=new_id(), priority=6)]),
        "lifecycle/read_needs": {"tasks": [running.id], "owner": user.pk},
        "lifecycle/lock_needs": {"tasks": [running.id], "owner": user.pk},
        "lifecycle/await_needs": {"tasks": [running.id], "owner": user.pk},
        "lifecycle/mark_needs": {"tasks": [running.id]},
        "lifecycle/count_waiting": {"user": user.pk, "limit": 101},
        "lifecycle/forget_kept": {"limit": 10},
        "lifecycle/keep": {
            "task": running.id,
            "token": running.token,
            "key": "",
            "number": 0,
            "data": b"{}",
            "most": keep.MOST_BYTES,
        },
        "lifecycle/say": {
            "task": running.id,
            "token": running.token,
            "fraction": 0.5,
            "stage": "",
            "entries": Jsonb([]),
        },
    }


def _pages_of_duties() -> dict[str, int]:
    """Do all upkeep as a node does; return what each duty read when there was nothing to do any more."""
    with connection.cursor() as cursor:
        # What is dead is none of theirs.
        cursor.execute("VACUUM task")
    duties = all_duties()
    for duty in duties.values():
        for _ in range(MOST_ROUNDS):
            if not duty.run():
                break
    read = {}
    for name, duty in duties.items():
        with statements_seen(planned=AS_A_NODE) as seen:
            duty.run()
        read[f"duty {name}"] = sum(statement.pages for statement in seen)
    return read


def _flood() -> None:
    rows = multiply_held(FLOOD, ends_at=time.monotonic() + FLOOD_SECONDS)
    if FLOOD_SECONDS:
        say(f"{rows:,} tasks are held")


def _flood_of_lanes() -> None:
    with connection.cursor() as cursor:
        # Of nobody: a hundred thousand users would take longer than the test.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "INSERT INTO lane (user_id, cluster_id, slots, weight)"
            " SELECT -n, 'default', 1, 1 FROM generate_series(1, %s) AS n",
            [FLOOD],
        )
        cursor.execute("RESET session_replication_role")


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
        cursor.execute("; ".join(f"SET LOCAL {setting}" for setting in AS_A_NODE))
