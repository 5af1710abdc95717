"""How a command can end, and the fault of whoever typed it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell sees."""

    SUCCEEDED = 0
    TASK_FAILED = 1
    USAGE = 2
    REFUSED = 3
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class UsageError(Exception):
    """The command cannot be run as it was typed; the message says why."""
