"""The upkeep of lanes: small idempotent functions with a limit, which any node may run at any time.

They redo what an asynchronous transaction lost, and do what only time brings about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import User
from tasks import sql
from tasks.lifecycle.apply_limits import apply_limits
from tasks.lifecycle.cancel import end_unstarted
from tasks.lifecycle.fill import fill_lanes, fill_locked, locked_lanes, settle
from tasks.lifecycle.pause import hold_paused, lanes_to_fill, open_queues
from tasks.lifecycle.per_lane import work_by_lane
from tasks.models import Settlement, Task
from tasks.periodic import duty
from tasks.statuses import NOT_STARTED, Status

STALE = timedelta(seconds=1)
LIMIT = 500


class LaneToRefresh(NamedTuple):
    id: int
    user_id: int


@duty(every=1)
def settle_old() -> int:
    """Settle attempts whose second transaction was lost."""
    settlements = Settlement.objects.filter(created_at__lt=Now() - STALE)

    def find(held: Collection[int]) -> list[tuple[Settlement, int]]:
        return [(row, row.lane_id) for row in settlements.exclude(lane_id__in=held)[:LIMIT]]

    def act(rows: Sequence[tuple[Settlement, int]]) -> int:
        dependents = any(row.has_dependents for row, _ in rows)
        settle([(row.token, lane) for row, lane in rows], dependents=dependents)
        return len(rows)

    return work_by_lane(find, act, limit=LIMIT)


@duty(every=1)
def start_due() -> int:
    """Move scheduled tasks whose time has come into their lanes."""
    due = Task.objects.filter(status=Status.SCHEDULED, run_after__lte=Now(), cancel_requested_at=None)
    first = due.order_by("run_after").values_list("id", "lane_id")

    def act(rows: Sequence[tuple[UUID, int]]) -> int:
        with locked_lanes(lane for _, lane in rows) as lanes:
            sql.execute("lifecycle/due", {"tasks": [task for task, _ in rows], "lanes": lanes})
            fill_locked(lanes)
        return len(rows)

    return work_by_lane(lambda held: list(first.exclude(lane_id__in=held)[:LIMIT]), act, limit=LIMIT)


@duty(every=1)
def fill_idle() -> int:
    """Fill lanes that have a free slot and a held task in an open queue; first, what is paused gives its slots back."""
    hold_paused()
    queues = open_queues()

    def find(held: Collection[int]) -> list[tuple[None, int]]:
        lanes = lanes_to_fill(queues, limit=LIMIT + len(held))
        return [(None, lane) for lane in lanes if lane not in held][:LIMIT]

    return work_by_lane(find, lambda rows: fill_lanes(lane for _, lane in rows), limit=LIMIT)


@duty(every=1)
def end_cancelled_and_expired() -> int:
    """End unstarted tasks that were cancelled or whose `start_before` has passed. Nodes look after running ones."""
    unstarted = Task.objects.filter(status__in=NOT_STARTED).values_list("id", "lane_id")
    late = unstarted.filter(start_before__lte=Now(), start_before__isnull=False)
    asked = unstarted.filter(cancel_requested_at__lte=Now() - STALE)

    def find_in(ended: QuerySet[Task, tuple[UUID, int]]) -> Callable[[Collection[int]], list[tuple[UUID, int]]]:
        return lambda held: list(ended.exclude(lane_id__in=held)[:LIMIT])

    return sum(work_by_lane(find_in(ended), end_unstarted, limit=LIMIT) for ended in (asked, late))


@duty(every=1)
def reset_clocks() -> int:
    """Set the clock of clusters where nothing is ready or running: debts do not outlive idleness."""
    return sql.count("lifecycle/reset_clocks", {})


@duty(every=1)
def mend_low_rank() -> int:
    """Lower where claims begin to read each cluster's line to where it begins, if a claim has raised it too far."""
    return sql.count("lifecycle/mend_low_rank", {})


@duty(every=30)
def mend_low_key() -> int:
    """Lower where fill begins to read each lane to its first held task, if something has come in before it unseen."""
    return sql.count("lifecycle/mend_low_key", {})


@duty(every=1)
def refresh_warp() -> int:
    """Set what a level of priority is worth: 5 × workers ÷ Σ weights of active lanes, in virtual seconds."""
    return sql.count("lifecycle/refresh_warp", {})


@duty(every=15)
def refresh_lanes() -> int:
    """Bring lanes in line with their users' limits: changed plans, overrides that have ended."""

    def find(held: Collection[int]) -> list[tuple[int, int]]:
        lanes = sql.run("lifecycle/lanes_to_refresh", {"limit": LIMIT + len(held)}, row=LaneToRefresh)
        return [(row.user_id, row.id) for row in lanes if row.id not in held][:LIMIT]

    def act(rows: Sequence[tuple[int, int]]) -> int:
        for user in User.objects.select_related("plan").filter(pk__in={user for user, _ in rows}):
            apply_limits(user)
        return len(rows)

    return work_by_lane(find, act, limit=LIMIT)
