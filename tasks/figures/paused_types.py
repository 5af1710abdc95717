"""Which task types are paused: the same for everybody, looked at once in a few seconds."""

from __future__ import annotations

from tasks.kept import kept
from tasks.models import PausedType

CACHE_SECONDS = 2.0


@kept(seconds=CACHE_SECONDS)
def paused_types() -> frozenset[str]:
    """Return the names of the types of which operators let nothing start."""
    return frozenset(PausedType.objects.values_list("type", flat=True))
