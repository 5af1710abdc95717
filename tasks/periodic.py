"""Duties: work that any node may do at any time, as often as `@duty` says where the work is defined.

`tasks/duties.py` names the modules that declare some; an app of EXTRA_APPS has a `duties.py` of its own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

MOST_ROUNDS = 100

Work = TypeVar("Work", bound=Callable[..., int])


@dataclass(frozen=True)
class Duty:
    """Small and idempotent: two nodes may run it at once, and one that dies within leaves it to the next time."""

    name: str
    every_seconds: float
    run: Callable[[], int]


_declared: dict[str, Duty] = {}


def duty(*, every: float) -> Callable[[Work], Work]:
    """Declare the decorated function as a duty that one node or another runs every so many seconds.

    It returns how many things it has done. Its name is its row's key in the table of duties.

    Raises:
        ValueError: there is a duty of that name already.
    """

    def declare(work: Work) -> Work:
        if work.__name__ in _declared:
            raise ValueError(f"The duty {work.__name__} is declared twice.")
        _declared[work.__name__] = Duty(work.__name__, every, work)
        return work

    return declare


def declared() -> dict[str, Duty]:
    """Return the duties of all modules that have been imported, by name; `tasks.duties.all_duties` imports them."""
    return dict(_declared)


def in_rounds(step: Callable[[], int], *, limit: int, seconds: float = math.inf) -> int:
    """Repeat a step until it finds less than it may take: rows must go as fast as they come. Returns the sum.

    No step begins when the seconds are over: a duty shares its thread with all the others.
    """
    deadline = time.monotonic() + seconds
    total = 0
    for _ in range(MOST_ROUNDS):
        count = step()
        total += count
        if count < limit or time.monotonic() > deadline:
            break
    return total
