"""Slows down repeated tries: counters in Postgres, so that all processes share them.

Nothing is ever locked. A few tries are free; after each further one comes a wait, twice as long as the one before,
until it is as long as the pace says. A try is forgotten after that time, so those who stop soon have free tries again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.db import connection

# The wait that follows the last try, in seconds: none while a whole free try is left. The power stays within a double.
WAIT = """
    CASE WHEN pace.level <= %(free)s - 1 THEN 0
         ELSE least(%(seconds)s, %(first_wait)s * power(2, least(pace.level - %(free)s, 30))) END
"""
# The clock and not the transaction's time: who had to wait for the row must not seem to come before the last try.
TAKE = f"""
    INSERT INTO pace (key, level, tried_at) VALUES (%(key)s, 1, clock_timestamp())
    ON CONFLICT (key) DO UPDATE
       SET level = 1 + greatest(0, pace.level - extract(epoch FROM clock_timestamp() - pace.tried_at) / %(seconds)s),
           tried_at = clock_timestamp()
     WHERE pace.tried_at + make_interval(secs => {WAIT}) <= clock_timestamp()
    RETURNING level
"""  # noqa: S608 - a constant
REMAINING = f"""
    SELECT extract(epoch FROM pace.tried_at + make_interval(secs => {WAIT}) - clock_timestamp())
      FROM pace WHERE key = %(key)s
"""  # noqa: S608 - a constant
GIVE_BACK = "UPDATE pace SET level = greatest(0, level - 1) WHERE key = %s"
FORGET = """
    DELETE FROM pace WHERE key IN (
        SELECT key FROM pace WHERE tried_at < now() - interval '1 day' LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""


class TooOften(Exception):
    """Somebody has to wait before they may try again; nothing was tried."""

    def __init__(self, counter: Counter, retry_after_seconds: int) -> None:
        super().__init__(f"Try again in {retry_after_seconds} seconds.")
        self.counter = counter
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Counter:
    """What is counted, and how many tries are free; then come waits from `first_wait` up to `seconds`."""

    name: str
    of: tuple[str, ...]
    free: int
    seconds: int
    first_wait: int = 1

    @property
    def key(self) -> bytes:
        return sha256("\0".join([self.name, *self.of]).encode()).digest()


def take(counters: Sequence[Counter]) -> Callable[[], None]:
    """Count a try in each of these, before it is made: of many at once no more get through than one after the other.

    Returns:
        what gives the try back, for one that turned out to be no guess.

    Raises:
        TooOften: one of them has to wait; the try is counted in none.
    """
    taken: list[Counter] = []
    for counter in counters:
        try:
            _take_one(counter)
        except TooOften:
            _give_back(taken)
            raise
        taken.append(counter)
    return lambda: _give_back(taken)


def forget_old_tries() -> int:
    """Delete counters that have long been at nothing. A duty of the nodes."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET)
        return int(cursor.rowcount)


def _take_one(counter: Counter) -> None:
    given: dict[str, bytes | int] = {
        "key": counter.key, "free": counter.free, "seconds": counter.seconds, "first_wait": counter.first_wait,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(TAKE, given)
        if cursor.fetchone() is not None:
            return
        cursor.execute(REMAINING, given)
        row = cursor.fetchone()
    raise TooOften(counter, max(1, math.ceil(row[0] if row else 0)))


def _give_back(counters: Sequence[Counter]) -> None:
    with connection.cursor() as cursor:
        for counter in counters:
            cursor.execute(GIVE_BACK, [counter.key])
