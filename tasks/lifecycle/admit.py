"""Admission: does a submission fit the user's plan? Exact under concurrency, by the lock on the usage row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import transaction

from accounts.limits import Limits
from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle.submission import Accepted, Usage

# The highest priority that costs no allowance.
HIGHEST_FREE = 6
RATE_WINDOW_SECONDS = 60.0
WAITING_RETRY_SECONDS = 30

# Parameters of `count_usage`, but for the owner.
Counting = dict[str, Any]
UNCHECKED: Counting = {
    "checks": False,
    "overrides": None,
    "per_day": None,
    "high_per_day": None,
    "urgent_per_day": None,
    "max_waiting": None,
    "key": None,
}
# Tasks that were counted with others.
NO_MORE: Counting = UNCHECKED | {"tasks": 0, "high": 0, "urgent": 0, "burst": 0.0, "waiting_bound": None}


class Waiting(NamedTuple):
    waiting: int
    running: int


def band(priority: int) -> str:
    """Return which allowance a priority spends: urgent, high or none.

    >>> band(9), band(7), band(6)
    ('urgent', 'high', 'none')
    """
    if priority >= 9:
        return "urgent"
    return "high" if priority >= 7 else "none"


def count_at_once(limits: Limits, accepted: Sequence[Accepted], *, overrides: str | None, rate: bool) -> Counting:
    """Return what `count_usage` needs to count tasks where nothing speaks against it, and to refuse them otherwise.

    Args:
        overrides: the mark of the overrides with which the limits were found, however long ago; None: just now.
        rate: whether this counts as a submission of the minute; not so for what a running task starts, and
            for what was counted before.
    """
    return _counting(limits, accepted, rate=rate) | {
        # None a minute: that is for `look_closer` to say.
        "checks": True,
        "overrides": overrides,
        "per_day": limits.per_day,
        "high_per_day": limits.high_per_day,
        "urgent_per_day": limits.urgent_per_day,
        "max_waiting": -1 if rate and limits.per_minute == 0 else limits.max_waiting,
        "key": None,
    }


def look_closer(
    user: User, limits: Limits, accepted: Sequence[Accepted], *, rate: bool
) -> tuple[list[Accepted], Counting]:
    """Return the tasks, lowered where their `on_quota` is ``downgrade``, and what `count_usage` needs to count them.

    Locks the user's usage row until the transaction ends. Needs a transaction.

    Args:
        rate: as for `count_at_once`.

    Raises:
        QuotaExceeded: names the policy, its limit and when to try again; then nothing is counted.
    """
    [usage] = sql.run("lifecycle/lock_usage", {"user": user.pk}, row=Usage)
    if rate:
        _check_rate(usage, limits)
    if accepted:
        _check_day(usage, limits, len(accepted))
    admitted = _spend_allowances(usage, limits, accepted)
    waiting = _check_waiting(user, usage, limits, len(accepted)) if accepted else usage.waiting_bound
    return admitted, _counting(limits, admitted, rate=rate) | UNCHECKED | {"waiting_bound": waiting}


def count_request(user: User, limits: Limits) -> None:
    """Count a submission of the minute that makes no task: checking it was work, too. Opens its own transaction.

    Raises:
        QuotaExceeded: the rate of the minute is used up.
    """
    with transaction.atomic(durable=True):
        count_without_tasks(user, limits)


def count_without_tasks(user: User, limits: Limits) -> None:
    """As `count_request`, in the caller's transaction."""
    _, counting = look_closer(user, limits, [], rate=True)
    sql.execute("lifecycle/count_usage", counting | {"owner": user.pk})


def count_one_more(user: User, limits: Limits) -> None:
    """Count a retry like a submission of one task that spends no allowance. Needs a transaction.

    Raises:
        QuotaExceeded: a limit of the plan is reached.
    """
    [usage] = sql.run("lifecycle/lock_usage", {"user": user.pk}, row=Usage)
    _check_rate(usage, limits)
    _check_day(usage, limits, 1)
    waiting = _check_waiting(user, usage, limits, 1)
    counting = _counting(limits, [], rate=True) | UNCHECKED | {"tasks": 1, "waiting_bound": waiting}
    sql.execute("lifecycle/count_usage", counting | {"owner": user.pk})


def _counting(limits: Limits, tasks: Sequence[Accepted], *, rate: bool) -> Counting:
    bands = [band(task.priority) for task in tasks if task.priority > HIGHEST_FREE]
    return {
        "tasks": len(tasks),
        "high": bands.count("high"),
        "urgent": bands.count("urgent"),
        "burst": RATE_WINDOW_SECONDS / limits.per_minute if limits.per_minute and rate else 0.0,
        "waiting_bound": None,
    }


def _check_rate(usage: Usage, limits: Limits) -> None:
    # Generic cell rate algorithm: a full minute's worth may come at once, then one each interval.
    if limits.per_minute is None:
        return
    if limits.per_minute == 0:
        raise _refuse("Your plan allows no submissions.", "burst", 0, RATE_WINDOW_SECONDS)
    interval = RATE_WINDOW_SECONDS / limits.per_minute
    over = usage.burst_seconds + interval - RATE_WINDOW_SECONDS
    if over > 1e-6:
        raise _refuse(f"Your plan allows {limits.per_minute} submissions a minute.", "burst", limits.per_minute, over)


def _check_day(usage: Usage, limits: Limits, count: int) -> None:
    if limits.per_day is not None and usage.day_count + count > limits.per_day:
        left = max(0, limits.per_day - usage.day_count)
        raise _refuse(
            f"Your plan allows {limits.per_day} tasks a day; {left} are left until midnight UTC.",
            "day",
            limits.per_day,
            usage.day_seconds_left,
        )


def _spend_allowances(usage: Usage, limits: Limits, accepted: Sequence[Accepted]) -> list[Accepted]:
    left = {
        "high": _left(limits.high_per_day, usage.high_count),
        "urgent": _left(limits.urgent_per_day, usage.urgent_count),
    }
    admitted = []
    for task in accepted:
        spends = band(task.priority)
        if spends == "none":
            admitted.append(task)
        elif left[spends] > 0:
            left[spends] -= 1
            admitted.append(task)
        elif task.on_quota == "downgrade":
            admitted.append(task._replace(priority=HIGHEST_FREE, priority_reason=f"{spends}_allowance_used"))
        else:
            limit = (limits.high_per_day if spends == "high" else limits.urgent_per_day) or 0
            raise _refuse(
                f"Your plan allows {limit} {'high' if spends == 'high' else 'urgent'}-priority tasks a day, and they "
                f'are used up. Choose priority {HIGHEST_FREE} or lower, or send on_quota "downgrade".',
                f"{spends}-day",
                limit,
                usage.day_seconds_left,
            )
    return admitted


def _check_waiting(user: User, usage: Usage, limits: Limits, count: int) -> int:
    """Return the new bound of waiting tasks. They are counted only when the bound would pass the limit."""
    bound = usage.waiting_bound
    running = 0
    if bound + count > limits.max_waiting:
        asked = {"user": user.pk, "limit": limits.max_waiting + 1}
        [(bound, running)] = sql.run("lifecycle/count_waiting", asked, row=Waiting)
    if bound + count > limits.max_waiting:
        raise _refuse(
            f"Your plan allows {limits.max_waiting} waiting tasks; {bound} are waiting now.",
            "waiting",
            limits.max_waiting,
            WAITING_RETRY_SECONDS,
        )
    # What runs now may be put off and wait again, without being counted anew.
    return bound + running + count


def _left(limit: int | None, used: int) -> float:
    return math.inf if limit is None else limit - used


def _refuse(message: str, policy: str, limit: int, seconds: float) -> errors.QuotaExceeded:
    return errors.QuotaExceeded(message, policy=policy, limit=limit, retry_after_seconds=max(1, math.ceil(seconds)))
