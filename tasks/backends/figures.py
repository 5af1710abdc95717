"""What operators see of model servers: how they are, and figures of the last hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tasks import sql
from tasks.models import Backend


@dataclass(frozen=True)
class Figures:
    """Calls that run now, and those of the last hour; times are seconds, of calls that succeeded."""

    busy: int = 0
    calls: int = 0
    errors: int = 0
    p50: float | None = None
    p95: float | None = None


def read_figures() -> dict[int, Figures]:
    """Return the figures of every server by its id."""
    return {
        row.id: Figures(row.busy, row.calls, row.errors, row.p50, row.p95) for row in sql.run("backend_figures", {})
    }


HEALTHS = ("well", "unchecked", "failing", "resting", "trial", "broken", "drained")


def health_of(backend: Backend, now: datetime) -> str:
    """Return a word of HEALTHS; broken: its breaker is open, trial: half-open."""
    if not backend.enabled:
        return "drained"
    if backend.open_until is not None:
        return "broken" if backend.open_until > now else "trial"
    if backend.rests_until is not None and backend.rests_until > now:
        return "resting"
    if backend.failure_count:
        return "failing"
    return "well" if backend.checked_at else "unchecked"
