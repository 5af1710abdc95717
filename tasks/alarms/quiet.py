"""Quiet hours: when only what is urgent is told, or nothing at all."""

from __future__ import annotations

from datetime import datetime, time

from django.utils import timezone

from tasks.models import AlarmSettings


def is_within(moment: time, start: time, end: time) -> bool:
    """Say whether a time of day lies in a span, which may go over midnight.

    >>> is_within(time(23), time(22), time(7)), is_within(time(7), time(22), time(7))
    (True, False)
    >>> is_within(time(12), time(9), time(17))
    True
    """
    return start <= moment < end if start <= end else moment >= start or moment < end


def may_tell(settings: AlarmSettings, now: datetime, *, is_urgent: bool) -> bool:
    """Say whether something may be told at a moment; hours are those of the portal's own time zone."""
    if settings.quiet_from is None or settings.quiet_until is None:
        return True
    is_quiet = is_within(timezone.localtime(now).time(), settings.quiet_from, settings.quiet_until)
    return not is_quiet or (is_urgent and settings.urgent_always)
