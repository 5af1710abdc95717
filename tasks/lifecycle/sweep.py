"""The cluster-wide upkeep: small idempotent functions with a limit, which any node may run at any time.

They redo what an asynchronous transaction lost, and do what only time brings about.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.limits import limits_of
from tasks import sql
from tasks.lifecycle.cancel import end_unstarted, tell_node
from tasks.lifecycle.fill import fill_lanes, fill_locked, locked_lanes, settle
from tasks.models import IdempotencyKey, Lane, Queue, Settlement, Task, TaskContent
from tasks.statuses import NOT_STARTED, TERMINAL, Status

STALE = timedelta(seconds=1)
LIMIT = 500


def settle_old() -> int:
    """Settle attempts whose second transaction was lost."""
    owed = list(Settlement.objects.filter(created_at__lt=Now() - STALE).values_list("token", "lane_id")[:LIMIT])
    if owed:
        settle(owed)
    return len(owed)


def start_due() -> int:
    """Move scheduled tasks whose time has come into their lanes."""
    due = Task.objects.filter(status=Status.SCHEDULED, run_after__lte=Now(), cancel_requested_at=None)
    rows = list(due.order_by("run_after").values_list("id", "lane_id")[:LIMIT])
    if rows:
        with locked_lanes(lane for _, lane in rows) as lanes:
            sql.run("due", {"tasks": [task for task, _ in rows], "lanes": lanes})
            fill_locked(lanes)
    return len(rows)


def fill_idle() -> int:
    """Fill lanes that have a free slot and a held task in an open queue."""
    open_queues = Queue.objects.filter(paused_at=None).values("name")
    lanes = sql.run("lanes_to_fill", {"queues": [row["name"] for row in open_queues], "limit": LIMIT})
    return fill_lanes(row.id for row in lanes) if lanes else 0


def end_cancelled_and_expired() -> int:
    """End unstarted tasks that were cancelled or whose `start_before` has passed; remind nodes of running ones."""
    unstarted = Task.objects.filter(status__in=NOT_STARTED)
    late = Q(start_before__lte=Now(), start_before__isnull=False)
    asked = Q(cancel_requested_at__lte=Now() - STALE)
    ended = list(unstarted.filter(asked).values_list("id", "lane_id")[:LIMIT])
    ended += unstarted.filter(late).values_list("id", "lane_id")[:LIMIT]
    return end_unstarted(ended) if ended else 0


def remind_nodes() -> int:
    """Tell nodes again of running tasks that were cancelled."""
    running = Task.objects.filter(status=Status.RUNNING, cancel_requested_at__lte=Now() - STALE)
    tasks = list(running.values_list("id", flat=True)[:LIMIT])
    for task in tasks:
        tell_node(task)
    return len(tasks)


def reset_clocks() -> int:
    """Set the clock of clusters where nothing is ready or running: debts do not outlive idleness."""
    return _execute("reset_clocks")


def refresh_warp() -> int:
    """Set what a level of priority is worth: 5 × workers ÷ Σ weights of active lanes, in virtual seconds."""
    return _execute("refresh_warp")


def refresh_lanes() -> int:
    """Bring lanes in line with their users' limits: changed plans, overrides that have ended."""
    count = 0
    for lane in (
        Lane.objects.select_related("user__plan")
        .filter(Q(taken__gt=0) | Q(task__status=Status.HELD) | ~Q(slots=F("user__plan__slots")))
        .distinct()[:LIMIT]
    ):
        limits = limits_of(lane.user)
        if (lane.slots, lane.weight) != (limits.slots, limits.weight):
            Lane.objects.filter(pk=lane.pk).update(slots=limits.slots, weight=limits.weight)
            fill_lanes([lane.pk])
            count += 1
    return count


def forget_keys() -> int:
    """Delete idempotency keys after 24 hours."""
    old = IdempotencyKey.objects.filter(created_at__lt=Now() - timedelta(hours=24)).values("pk")[:LIMIT]
    return IdempotencyKey.objects.filter(pk__in=old).delete()[0]


def purge_content() -> int:
    """Delete the content of tasks whose time of keeping is over; the task stays as a tombstone."""
    over = Task.objects.filter(status__in=TERMINAL, keep_until__lt=Now(), content__isnull=False)
    return TaskContent.objects.filter(pk__in=list(over.values_list("pk", flat=True)[:LIMIT])).delete()[0]


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
            remind_nodes,
            reset_clocks,
            refresh_warp,
        )
    }


def slow_duties() -> dict[str, Any]:
    """Return the duties of every half minute by name."""
    return {duty.__name__: duty for duty in (refresh_lanes, forget_keys, purge_content)}
