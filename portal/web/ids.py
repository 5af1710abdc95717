"""Reads ids that people, forms and stored inputs hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID


def uuids_in(values: Iterable[Any]) -> Iterator[UUID]:
    """Yield the values that are ids; what is none is left out."""
    for value in values:
        try:
            yield UUID(str(value))
        except ValueError:
            continue


def first_uuid(*values: Any) -> UUID | None:
    """Return the first value that is an id, or None."""
    return next(uuids_in(values), None)
