"""Reads what is left of a user's limits: the `/quota` object of the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.limits import limits_of
from accounts.models import User
from tasks import files
from tasks.figures.depths import CAP
from tasks.lifecycle.admit import RATE_WINDOW_SECONDS
from tasks.models import Task, Usage
from tasks.statuses import NOT_STARTED, Status


def read_quota(user: User) -> dict[str, Any]:
    """Return the limits and what is used of them. Times are UTC; sizes are bytes; None is unlimited."""
    limits = limits_of(user)
    usage = Usage.objects.filter(user=user).first()
    now = datetime.now(UTC)
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    today = usage is not None and usage.day == now.date()
    running = Task.objects.of(user).filter(status=Status.RUNNING).order_by()[:CAP].count()
    # Served by the partial index of unstarted tasks, whatever the history behind it.
    held = Task.objects.of(user).filter(status__in=NOT_STARTED).order_by()[:CAP].count()

    def daily(limit: int | None, used: int) -> dict[str, Any]:
        return {"limit": limit, "used": used if today else 0, "resets_at": tomorrow}

    return {
        "plan": user.plan.name,
        "slots": limits.slots,
        "running": running,
        "held": held,
        "weight": limits.weight,
        "max_priority": limits.max_priority,
        "max_waiting": limits.max_waiting,
        "allowances": {
            "high": daily(limits.high_per_day, usage.high_count if usage else 0),
            "urgent": daily(limits.urgent_per_day, usage.urgent_count if usage else 0),
            "day": daily(limits.per_day, usage.day_count if usage else 0),
            "burst": _burst(limits.per_minute, usage, now),
        },
        "files": {"bytes": files.bytes_kept(user), "limit": limits.file_bytes},
    }


def _burst(per_minute: int | None, usage: Usage | None, now: datetime) -> dict[str, Any]:
    ahead = max(0.0, (usage.burst_at - now).total_seconds()) if usage else 0.0
    used = round(ahead * per_minute / RATE_WINDOW_SECONDS) if per_minute else 0
    return {"limit": per_minute, "used": used, "resets_at": now + timedelta(seconds=ahead)}
