"""The cluster-wide upkeep: small idempotent functions with a limit, which any node may run at any time.

They redo what an asynchronous transaction lost, and do what only time brings about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from accounts.pace import forget_old_tries
from tasks import files, sql
from tasks.backends.upkeep import check_backends, end_leases, forget_calls
from tasks.lifecycle.batch import cancel_batches
from tasks.lifecycle.by_lane import work_by_lane
from tasks.lifecycle.cancel import end_unstarted
from tasks.lifecycle.deliver import deliver_webhooks, forget_deliveries, forget_task_webhooks
from tasks.lifecycle.estimate import learn_estimates
from tasks.lifecycle.fill import fill_lanes, fill_locked, locked_lanes, settle
from tasks.lifecycle.limits import apply_limits
from tasks.lifecycle.operate import run_operations
from tasks.lifecycle.pause import hold_paused
from tasks.lifecycle.schedule_fire import fire_schedules, forget_runs
from tasks.lifecycle.usage import roll_up_usage
from tasks.models import File, IdempotencyKey, Node, Queue, Settlement, Task
from tasks.models.node import NodeStatus
from tasks.statuses import NOT_STARTED, TERMINAL, Status

STALE = timedelta(seconds=1)
LIMIT = 500
MOST_ROUNDS = 100
KEEP_NODES = timedelta(days=30)


def settle_old() -> int:
    """Settle attempts whose second transaction was lost."""
    owed = Settlement.objects.filter(created_at__lt=Now() - STALE)

    def find(held: Collection[int]) -> list[tuple[Settlement, int]]:
        return [(row, row.lane_id) for row in owed.exclude(lane_id__in=held)[:LIMIT]]

    def act(rows: Sequence[tuple[Settlement, int]]) -> int:
        dependents = any(row.has_dependents for row, _ in rows)
        settle([(row.token, lane) for row, lane in rows], dependents=dependents)
        return len(rows)

    return work_by_lane(find, act, limit=LIMIT)


def start_due() -> int:
    """Move scheduled tasks whose time has come into their lanes."""
    due = Task.objects.filter(status=Status.SCHEDULED, run_after__lte=Now(), cancel_requested_at=None)
    first = due.order_by("run_after").values_list("id", "lane_id")

    def act(rows: Sequence[tuple[UUID, int]]) -> int:
        with locked_lanes(lane for _, lane in rows) as lanes:
            sql.run("due", {"tasks": [task for task, _ in rows], "lanes": lanes})
            fill_locked(lanes)
        return len(rows)

    return work_by_lane(lambda held: list(first.exclude(lane_id__in=held)[:LIMIT]), act, limit=LIMIT)


def fill_idle() -> int:
    """Fill lanes that have a free slot and a held task in an open queue; first, paused queues give theirs back."""
    hold_paused()
    open_queues = list(Queue.objects.filter(paused_at=None).values_list("name", flat=True))

    def find(held: Collection[int]) -> list[tuple[None, int]]:
        lanes = sql.run("lanes_to_fill", {"queues": open_queues, "limit": LIMIT + len(held)})
        return [(None, row.id) for row in lanes if row.id not in held][:LIMIT]

    return work_by_lane(find, lambda rows: fill_lanes(lane for _, lane in rows), limit=LIMIT)


def end_cancelled_and_expired() -> int:
    """End unstarted tasks that were cancelled or whose `start_before` has passed. Nodes look after running ones."""
    unstarted = Task.objects.filter(status__in=NOT_STARTED).values_list("id", "lane_id")
    late = unstarted.filter(start_before__lte=Now(), start_before__isnull=False)
    asked = unstarted.filter(cancel_requested_at__lte=Now() - STALE)

    def find_in(ended: QuerySet[Task, tuple[UUID, int]]) -> Callable[[Collection[int]], list[tuple[UUID, int]]]:
        return lambda held: list(ended.exclude(lane_id__in=held)[:LIMIT])

    return sum(work_by_lane(find_in(ended), end_unstarted, limit=LIMIT) for ended in (asked, late))


def reset_clocks() -> int:
    """Set the clock of clusters where nothing is ready or running: debts do not outlive idleness."""
    return _execute("reset_clocks")


def mend_low_rank() -> int:
    """Lower where claims begin to read each cluster's line to where it begins, if a claim has raised it too far."""
    return _execute("mend_low_rank")


def mend_low_key() -> int:
    """Lower where fill begins to read each lane to its first held task, if something has come in before it unseen."""
    return len(sql.run("mend_low_key", {}))


def refresh_warp() -> int:
    """Set what a level of priority is worth: 5 × workers ÷ Σ weights of active lanes, in virtual seconds."""
    return _execute("refresh_warp")


def refresh_lanes() -> int:
    """Bring lanes in line with their users' limits: changed plans, overrides that have ended."""

    def find(held: Collection[int]) -> list[tuple[int, int]]:
        lanes = sql.run("lanes_to_refresh", {"limit": LIMIT + len(held)})
        return [(row.user_id, row.id) for row in lanes if row.id not in held][:LIMIT]

    def act(rows: Sequence[tuple[int, int]]) -> int:
        for user in User.objects.select_related("plan").filter(pk__in={user for user, _ in rows}):
            apply_limits(user)
        return len(rows)

    return work_by_lane(find, act, limit=LIMIT)


def forget_keys() -> int:
    """Delete idempotency keys, and counters of tries to sign in, after 24 hours."""
    old = IdempotencyKey.objects.filter(created_at__lt=Now() - timedelta(hours=24)).values("pk")
    forgotten = _in_rounds(lambda: IdempotencyKey.objects.filter(pk__in=old[:LIMIT]).delete()[0])
    return forgotten + forget_old_tries()


def purge_content() -> int:
    """Delete the content of tasks whose time of keeping is over; the task stays as a tombstone."""
    return _in_rounds(lambda: len(sql.run("purge_content", {"limit": LIMIT})))


def forget_history() -> int:
    """Delete result files whose task's content is gone, and the rows of nodes that ended long ago."""
    purged = File.objects.filter(task__status__in=TERMINAL, task__content=None).select_related("task")[:LIMIT]
    count = 0
    for file in purged:
        files.delete_file_for_good(file)
        count += 1
    gone = Node.objects.filter(
        ~Exists(Task.objects.filter(node=OuterRef("pk"), status=Status.RUNNING)),
        status__in=(NodeStatus.STOPPED, NodeStatus.LOST),
        stopped_at__lt=Now() - KEEP_NODES,
    )
    # The attempts that it ran go on naming it, for which Django's `delete` would read whole tables, and refuse.
    return count + gone._raw_delete(gone.db)


def _in_rounds(step: Callable[[], int]) -> int:
    """Repeat a step until it finds less than it may take: rows must go as fast as they come."""
    total = 0
    for _ in range(MOST_ROUNDS):
        count = step()
        total += count
        if count < LIMIT:
            break
    return total


def _execute(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.statement(name).decode())
        return int(cursor.rowcount)


def all_duties() -> dict[str, Any]:
    """Return the duties of every second by name."""
    return {
        duty.__name__: duty
        for duty in (
            settle_old,
            start_due,
            fill_idle,
            end_cancelled_and_expired,
            reset_clocks,
            refresh_warp,
            mend_low_rank,
            learn_estimates,
            fire_schedules,
            cancel_batches,
            deliver_webhooks,
            run_operations,
        )
    }


def slow_duties() -> dict[str, Any]:
    """Return the duties of every half minute by name."""
    duties = (
        refresh_lanes,
        mend_low_key,
        forget_keys,
        purge_content,
        forget_history,
        check_backends,
        end_leases,
        forget_calls,
        forget_runs,
        roll_up_usage,
        forget_deliveries,
        forget_task_webhooks,
    )
    return {duty.__name__: duty for duty in duties}
