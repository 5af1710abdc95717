"""django-q2's leader: the process that an operator starts, and the only one that is sent signals."""

from __future__ import annotations

import gc
from types import FrameType

from django_q.cluster import Cluster


class Leader(Cluster):  # type: ignore[misc]  # django-q2 has no types
    """Stops once, however often it is told to.

    A second signal within `stop`, from an impatient operator or from the heart of a node that was declared lost, would
    set the stop event anew while this very thread is setting it: its lock is not one that a thread may take twice. The
    leader would hang, and with it the sentinel, which asks for the event.
    """

    _is_stopping = False

    def start(self) -> int:
        """Fork the sentinel, which forks all others.

        A garbage collection writes to each object that it looks at: every process would soon have a copy of its own of
        all that they share. So there is one before the first fork, and none after it looks at what was there then
        (`manage.py` lets none look before).
        """
        gc.collect()
        gc.freeze()
        gc.enable()
        pid: int = super().start()
        return pid

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            super().sig_handler(signum, frame)
