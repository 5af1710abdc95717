"""What the objects of the API share: the base of the models that describe them, and how times are written."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class Shape(BaseModel):
    """Describes an object for the OpenAPI document; a test compares real answers with it."""


class Urls(Shape):
    """Addresses of this object, as absolute paths."""

    self: str


def write_time(time: datetime | None) -> str | None:
    """Return a time as RFC 3339; Django reads the database's times in UTC.

    >>> from datetime import UTC
    >>> write_time(datetime(2030, 1, 31, 12, tzinfo=UTC))
    '2030-01-31T12:00:00Z'
    """
    return None if time is None else time.isoformat().replace("+00:00", "Z")
