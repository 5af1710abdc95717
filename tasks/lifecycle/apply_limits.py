"""Puts a user's limits into effect: lanes get their slots and weight, and are filled; or are held altogether."""

from __future__ import annotations

from django.db import transaction

from accounts.limits import limits_of
from accounts.models import Plan, User
from accounts.tokens import revoke_token
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


def apply_plan(plan: Plan) -> int:
    """Bring the lanes of all users of a plan in line with it; return how many. Each has a transaction of their own."""
    users = User.objects.filter(plan=plan, lanes__isnull=False).distinct()
    for user in users.select_related("plan").iterator(chunk_size=500):
        apply_limits(user)
    return users.count()


def apply_after_commit(user_id: int) -> None:
    """Have the user's lanes follow, in transactions of their own: lanes are locked there."""
    transaction.on_commit(lambda: apply_limits(User.objects.select_related("plan").get(pk=user_id)))


def set_active(user: User, active: bool) -> None:
    """Hold a user, whose API tokens are revoked, or release them. Their lanes follow after the open transaction."""
    User.objects.filter(pk=user.pk).update(is_active=active)
    if not active:
        revoke_all(user)
    apply_after_commit(user.pk)


def revoke_all(user: User) -> None:
    for token in user.api_tokens.filter(revoked_at=None):
        revoke_token(token)
