"""Identifiers: UUIDv7 (RFC 9562), so that ids sort by creation and indexes stay local."""

from datetime import datetime, timedelta
from uuid import UUID

import uuid_utils.compat

MOST_MILLISECONDS = 2**48 - 1


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()


def first_id(at: datetime, *, moved: timedelta = timedelta()) -> UUID:
    """Return the smallest UUIDv7 of that time: ids begin with the milliseconds of the Unix time (RFC 9562, 5.7).

    Args:
        moved: so much later; whatever comes out, it is an id.

    >>> from datetime import UTC
    >>> first_id(datetime(2026, 1, 1, tzinfo=UTC))
    UUID('019b76da-a800-0000-0000-000000000000')
    >>> first_id(datetime(1, 1, 1, tzinfo=UTC), moved=-timedelta(days=1))
    UUID('00000000-0000-0000-0000-000000000000')
    """
    milliseconds = int((at.timestamp() + moved.total_seconds()) * 1000)
    return UUID(int=min(max(0, milliseconds), MOST_MILLISECONDS) << 80)
