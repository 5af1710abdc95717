"""How often one user may read from this process: a loop that runs wild is stopped before the others wait for it.

Generous, and kept in memory: a limit that asked the database would cost as much as the reading.
"""

from __future__ import annotations

import threading
import time

from django.conf import settings

from tasks.api.refusals import RateLimited

# So many seconds' worth of reads may come at once.
BURST_SECONDS = 10.0
MOST_REMEMBERED = 10_000


class ReadLimit:
    """Counts the reads of each user; called in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # User -> when all their reads so far would be over, at the rate that is allowed.
        self._over_at: dict[int, float] = {}

    def check(self, user_id: int) -> None:
        """Count one read: the generic cell rate algorithm, as `tasks.lifecycle.admit`. A refused one is not counted.

        Raises:
            RateLimited: it comes too soon.
        """
        most = settings.MAX_READS_PER_SECOND
        now = time.monotonic()
        with self._lock:
            over_at = max(self._over_at.get(user_id, now), now) + 1 / most
            if over_at - now <= BURST_SECONDS:
                if len(self._over_at) >= MOST_REMEMBERED and user_id not in self._over_at:
                    self._forget_idle(now)
                self._over_at[user_id] = over_at
                return
        raise RateLimited(f"You read more than {most} times a second.")

    def _forget_idle(self, now: float) -> None:
        # Whoever's reads are over may burst again, as somebody unknown may.
        self._over_at = {user_id: over_at for user_id, over_at in self._over_at.items() if over_at > now}


reads = ReadLimit()
