"""Keeps tests off the end of a day: what is counted by the day (UTC), as allowances are, begins anew at midnight."""

from __future__ import annotations

import time

DAY_SECONDS = 24 * 60 * 60
# Longer than nearly all tests that count by the day take, on a slow machine.
MARGIN_SECONDS = 20.0


def wait_for_midnight() -> None:
    """Return at once, or when the new day has begun where there is little left of the old one."""
    left = DAY_SECONDS - time.time() % DAY_SECONDS
    if left < MARGIN_SECONDS:
        time.sleep(left)
