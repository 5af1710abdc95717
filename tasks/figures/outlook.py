"""What a task type promises now: how long its tasks ran lately, and how many to submit at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from accounts.limits import limits_of
from accounts.models import User
from tasks import sql
from tasks.figures.paused_types import paused_types
from tasks.figures.queues import read_queues
from tasks.kept import kept
from tasks.registry import TaskType

# Everybody may ask; what ran in the last day changes slowly.
CACHE_SECONDS = 30.0
MOST_ATTEMPTS = 2_000
TARGET_SECONDS = 60.0
MOST = 1000


@dataclass(frozen=True)
class Outlook:
    """`seconds` are median and 90th percentile of the run time, that of started tasks included; None where nothing ran
    in the last day. `is_paused`: nothing of the type starts now."""

    seconds: tuple[float, float] | None
    recommended_batch: int
    is_paused: bool


class RunSeconds(NamedTuple):
    """Median and 90th percentile of a type."""

    type: str
    seconds: tuple[float, float]


def read_outlooks(user: User, definitions: Iterable[TaskType]) -> dict[str, Outlook]:
    """Return the outlook for this user, by name of type."""
    slots = limits_of(user).slots
    holding_back = {figures.queue.name for figures in read_queues(user) if figures.retry_after_seconds is not None}
    recent, paused = _run_seconds(), paused_types()
    found = {}
    for definition in definitions:
        p50, p90 = recent.get(definition.name, (None, None))
        seconds = None if p50 is None or p90 is None else (round(p50, 3), round(p90, 3))
        batch = recommended_batch(
            slots=slots,
            seconds=definition.whole_seconds or definition.est_seconds if seconds is None else seconds[0],
            holding_back=definition.queue in holding_back or definition.name in paused,
        )
        found[definition.name] = Outlook(seconds, batch, definition.name in paused)
    return found


@kept(seconds=CACHE_SECONDS)
def _run_seconds() -> dict[str, tuple[float, float]]:
    return dict(sql.run("figures/recent_run_seconds", {"most": MOST_ATTEMPTS}, row=RunSeconds))


def recommended_batch(*, slots: int, seconds: float, holding_back: bool) -> int:
    """Return how many tasks the slots get through in about a minute, 1 to MOST; half where the queue holds back.

    >>> recommended_batch(slots=4, seconds=2.0, holding_back=False)
    120
    >>> recommended_batch(slots=4, seconds=2.0, holding_back=True)
    60
    >>> recommended_batch(slots=2, seconds=600.0, holding_back=False)
    1
    """
    fits = slots * TARGET_SECONDS / max(seconds, 0.001)
    return int(min(MOST, max(1, fits / 2 if holding_back else fits)))
