"""Ids that say which compatibility route made a task, so that reading it costs nothing to find out.

An id of ours is a UUIDv7. A marked one is the same with version 8, which RFC 9562 (section 5.8) leaves to the
application: the time comes first as ever, so ids sort as ever, and the last byte is the system's letter.
"""

from __future__ import annotations

from uuid import UUID

from tasks.models.ids import new_id

VERSION = 8
VERSION_BITS = 76


def new_marked_id(system: str) -> UUID:
    """Return a new id that carries the letter of a system."""
    plain = new_id().int & ~(0xF << VERSION_BITS) & ~0xFF
    return UUID(int=plain | VERSION << VERSION_BITS | ord(system))


def system_of(task_id: UUID) -> str | None:
    """Return the letter of the system whose route made the task; None for all others.

    >>> system_of(new_marked_id("D")), system_of(new_id())
    ('D', None)
    """
    return chr(task_id.int & 0xFF) if task_id.version == VERSION else None
