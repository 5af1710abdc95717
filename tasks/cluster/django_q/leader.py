"""django-q2's leader: the process that an operator starts, and the only one that is sent signals."""

from __future__ import annotations

from types import FrameType

from django_q.cluster import Cluster


class Leader(Cluster):  # type: ignore[misc]  # django-q2 has no types
    """Stops once, however often it is told to.

    A second signal within `stop`, from an impatient operator or from the heart of a node that was declared lost, would
    set the stop event anew while this very thread is setting it: its lock is not one that a thread may take twice. The
    leader would hang, and with it the sentinel, which asks for the event.
    """

    _is_stopping = False

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            super().sig_handler(signum, frame)
