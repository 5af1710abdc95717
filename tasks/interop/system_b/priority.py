"""System B's dynamic priority: one function, which says why."""

from __future__ import annotations

from dataclasses import dataclass

BASE = {"pdf_extraction": 7, "file_processing": 5, "cross_validation": 3}
OTHER = 4
LONG_QUEUE, SHORT_QUEUE = 50, 10
SMALL_FILE_BYTES, LARGE_FILE_BYTES = 1024 * 1024, 10 * 1024 * 1024
LONG_RUN_SECONDS = 60.0


@dataclass(frozen=True)
class Priority:
    """From 1 (background) to 10 (urgent), and what made it so, in the order in which it was counted."""

    value: int
    reasons: tuple[str, ...]


def dynamic_priority(
    kind: str,
    *,
    overloaded: bool = False,
    queue_length: int | None = None,
    file_bytes: int | None = None,
    recent_seconds: float | None = None,
    base: int | None = None,
) -> Priority:
    """Return the priority that system B would give some work; what is not known does not count.

    It orders one's own tasks: those of others stand in lanes of their own.

    Args:
        kind: `pdf_extraction`, `file_processing` or `cross_validation`; others begin at 4.
        overloaded: the machines are above their limits of CPU or memory.
        queue_length: one's own tasks that wait in the queue.
        recent_seconds: the median run time of the last day.
        base: instead of the kind's own.

    >>> dynamic_priority("pdf_extraction", queue_length=3, file_bytes=20_000_000)
    Priority(value=6, reasons=('pdf_extraction begins at 7', 'fewer than 10 wait: +1', 'more than 10 MiB: -2'))
    >>> dynamic_priority("cross_validation", overloaded=True, queue_length=80).value
    1
    """
    start = BASE.get(kind, OTHER) if base is None else base
    steps = [
        (-2, "the machines are at their limits", overloaded),
        (-1, f"more than {LONG_QUEUE} wait", queue_length is not None and queue_length > LONG_QUEUE),
        (1, f"fewer than {SHORT_QUEUE} wait", queue_length is not None and queue_length < SHORT_QUEUE),
        (2, "less than 1 MiB", file_bytes is not None and file_bytes < SMALL_FILE_BYTES),
        (-2, "more than 10 MiB", file_bytes is not None and file_bytes > LARGE_FILE_BYTES),
        (
            -1,
            "they ran for more than a minute lately",
            recent_seconds is not None and recent_seconds > LONG_RUN_SECONDS,
        ),
    ]
    counted = [(step, why) for step, why, holds in steps if holds]
    value = min(10, max(1, start + sum(step for step, _ in counted)))
    return Priority(value, (f"{kind} begins at {start}", *(f"{why}: {step:+d}" for step, why in counted)))
