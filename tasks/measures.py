"""Durations and sizes in words: the same on the portal's pages and in the admin."""

from __future__ import annotations

NOTHING = "–"


def duration_text(seconds: float | None) -> str:
    """Return a duration for people.

    >>> duration_text(0.0423), duration_text(5.25), duration_text(75), duration_text(7300)
    ('42 ms', '5.2 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"


def size_text(size: float | None) -> str:
    """Return bytes for people, in powers of 1,000 as storage is sold.

    >>> size_text(999), size_text(1200), size_text(5_368_709_120)
    ('999 B', '1.2 kB', '5.4 GB')
    """
    if size is None:
        return NOTHING
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"
    return f"{size / 1000:.1f} TB"
