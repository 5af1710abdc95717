"""Runs attempts as a worker does that nobody interrupts."""

from __future__ import annotations

from tasks.lifecycle.attempt_context import Interrupts
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.run import record_end, run_handler


class Uninterrupted:
    """Implements `tasks.lifecycle.attempt_context.Interrupts`."""

    def arm(self) -> None: ...

    def end(self) -> None: ...

    def disarm(self) -> bool:
        return False

    def check(self) -> None: ...


def run_attempt(claimed: Claimed, interrupts: Interrupts) -> bool:
    """Run the handler of a claimed task and record how it ended.

    Returns:
        False when the attempt was superseded meanwhile; then nothing was recorded.
    """
    ended = run_handler(claimed, interrupts)
    return ended is not None and record_end(ended)
