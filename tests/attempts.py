"""Runs attempts as a worker does that nobody interrupts."""

from __future__ import annotations


class Uninterrupted:
    """Implements `tasks.lifecycle.attempt_context.Interrupts`."""

    def arm(self) -> None: ...

    def end(self) -> None: ...

    def disarm(self) -> bool:
        return False

    def check(self) -> None: ...
