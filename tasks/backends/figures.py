"""What operators see of model servers: how they are, and figures of the last hour."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models.functions import Now

from tasks import sql
from tasks.models import Backend


class Figures(NamedTuple):
    """Calls that run now, and those of the last hour; times are seconds, of calls that succeeded."""

    id: int = 0
    busy: int = 0
    calls: int = 0
    errors: int = 0
    p50: float | None = None
    p95: float | None = None


def read_figures() -> dict[int, Figures]:
    """Return the figures of every server by its id."""
    return {row.id: row for row in sql.run("figures/backend_figures", {}, row=Figures)}


HEALTHS = ("well", "unchecked", "failing", "resting", "trial", "broken", "drained", "unnamed")
# Each node says twice a minute what its environment names.
OUT_OF_ORDER = {"broken", "trial"}
UNNAMED_AFTER = timedelta(minutes=2)


def health_of(backend: Backend, now: datetime) -> str:
    """Return a word of HEALTHS; broken: its breaker is open, trial: half-open, unnamed: its environment is gone."""
    if backend.from_environment and (backend.named_at is None or backend.named_at < now - UNNAMED_AFTER):
        return "unnamed"
    if not backend.enabled:
        return "drained"
    if backend.open_until is not None:
        return "broken" if backend.open_until > now else "trial"
    if backend.rests_until is not None and backend.rests_until > now:
        return "resting"
    if backend.failure_count:
        return "failing"
    return "well" if backend.checked_at else "unchecked"


def silent_kinds() -> list[str]:
    """Return the kinds of which every server that is switched on is out of order: their tasks fail in time."""
    healths = defaultdict(set)
    for backend in Backend.objects.annotate(now=Now()):
        healths[backend.kind].add(health_of(backend, backend.now))
    called = {kind: found - {"drained", "unnamed"} for kind, found in healths.items()}
    return [kind for kind, found in called.items() if found and found <= OUT_OF_ORDER]
