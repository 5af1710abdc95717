"""Puts a user's limits into effect: lanes get their slots and weight, and are filled."""

from __future__ import annotations

from accounts.limits import limits_of
from accounts.models import User
from tasks import sql
from tasks.lifecycle.fill import fill_locked, locked_lanes
from tasks.models import Lane


def apply_limits(user: User) -> None:
    """Bring the user's lanes in line with their plan, overrides and whether they are active.

    Fewer slots than are taken: what runs goes on, nothing new starts until the rest has ended. No slots at all
    (a disabled user): what was ready is held again.
    """
    limits = limits_of(user)
    lanes = list(Lane.objects.filter(user=user).values_list("pk", flat=True))
    if not lanes:
        return
    with locked_lanes(lanes) as ids:
        Lane.objects.filter(pk__in=ids).update(slots=limits.slots, weight=limits.weight)
        sql.execute("lifecycle/hold", {"lanes": ids})
        fill_locked(ids)
