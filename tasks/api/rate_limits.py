"""What is left of the plan, on every submission: RateLimit headers (IETF draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from rest_framework.request import Request

from accounts.limits import Limits, limits_with
from accounts.models import User
from tasks import sql
from tasks.lifecycle.known_limits import known_limits
from tasks.lifecycle.submission import Usage

DAY_SECONDS = 86_400
MINUTE_SECONDS = 60


class KnownUsage(NamedTuple):
    """A user's counters as the next submission will find them, read without a lock; `overrides` by limit."""

    day_count: int
    high_count: int
    urgent_count: int
    waiting_bound: int
    burst_seconds: float
    day_seconds_left: float
    overrides: dict[str, float] | None


@dataclass(frozen=True)
class _Policy:
    """`window` and `reset` are in seconds; None where the limit is not one of time."""

    name: str
    quota: int | None
    used: int
    window: int | None = None
    reset: int | None = None


def note_usage(request: Request, usage: Usage | None) -> None:
    """Keep what a submission found while it was counted: its answer need not ask the database again."""
    request.usage = usage  # type: ignore[attr-defined]


def rate_limit_headers(user: User, request: Request) -> dict[str, str]:
    """Return the headers `RateLimit-Policy` and `RateLimit`; a policy without a limit is left out."""
    limited = [policy for policy in _policies(user, request) if policy.quota is not None]
    return {
        "RateLimit-Policy": ", ".join(
            f'"{policy.name}";q={policy.quota}' + (f";w={policy.window}" if policy.window else "") for policy in limited
        ),
        "RateLimit": ", ".join(
            f'"{policy.name}";r={max(0, (policy.quota or 0) - policy.used)}'
            + (f";t={policy.reset}" if policy.reset is not None else "")
            for policy in limited
        ),
    }


def _policies(user: User, request: Request) -> list[_Policy]:
    counted: Usage | None = getattr(request, "usage", None)
    if counted is not None:
        # By these limits it was counted.
        return _policies_of(counted, known_limits(user).limits)
    [usage] = sql.run("lifecycle/read_usage", {"user": user.pk}, row=KnownUsage)
    return _policies_of(usage, limits_with(user, (usage.overrides or {}).items()))


def _policies_of(usage: Usage | KnownUsage, limits: Limits) -> list[_Policy]:
    midnight = math.ceil(usage.day_seconds_left)
    sent = math.ceil(usage.burst_seconds * (limits.per_minute or 0) / MINUTE_SECONDS)
    return [
        _Policy("burst", limits.per_minute, sent, MINUTE_SECONDS, math.ceil(usage.burst_seconds)),
        _Policy("day", limits.per_day, usage.day_count, DAY_SECONDS, midnight),
        _Policy("high-day", limits.high_per_day, usage.high_count, DAY_SECONDS, midnight),
        _Policy("urgent-day", limits.urgent_per_day, usage.urgent_count, DAY_SECONDS, midnight),
        # A bound: tasks that started meanwhile are counted anew only near the limit.
        _Policy("waiting", limits.max_waiting, usage.waiting_bound),
    ]
