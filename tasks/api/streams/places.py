"""How many requests may wait at once, for each user and in all: those beyond are refused, not queued."""

from __future__ import annotations

import threading
from collections import Counter

from django.conf import settings

from tasks.api.refusals import TooManyStreams


class Places:
    """Counts who waits in this process. Taken in threads, given back on the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[int] = Counter()

    def take(self, owner_id: int) -> None:
        """Count one more.

        Raises:
            TooManyStreams: it would be one too many.
        """
        with self._lock:
            if self._taken[owner_id] >= settings.MAX_STREAMS_PER_USER:
                raise TooManyStreams(
                    f"You have {settings.MAX_STREAMS_PER_USER} open streams here already; close some first."
                )
            if self._taken.total() >= settings.MAX_STREAMS:
                raise TooManyStreams("This server has as many open streams as it can serve.")
            self._taken[owner_id] += 1

    def leave(self, owner_id: int) -> None:
        """Count one less."""
        with self._lock:
            self._taken[owner_id] -= 1
            if not self._taken[owner_id]:
                del self._taken[owner_id]

    def count(self) -> int:
        """Return how many wait in this process."""
        with self._lock:
            return self._taken.total()


places = Places()
