"""Reads a JSON column only where it is small: a list must not load what single rows may hold."""

from __future__ import annotations

from django.db.models import Case, F, Func, IntegerField, JSONField, When
from django.db.models.lookups import LessThanOrEqual

# A page of a list holds a hundred rows, and an input or result may have 32 MiB.
MAX_LISTED_BYTES = 16 * 1024


def if_small(field: str) -> Case:
    """Return the column's value, null where it is large."""
    # By the size as stored, so that what is left out is not even unpacked.
    size = Func(F(field), function="pg_column_size", output_field=IntegerField())
    return Case(When(LessThanOrEqual(size, MAX_LISTED_BYTES), then=F(field)), output_field=JSONField())
