"""Keeps a page or a figure from becoming a burden on the database that runs the tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

STATEMENT_MS = 5_000


@contextmanager
def bounded_queries(*, by_index: bool = False) -> Iterator[None]:
    """Give up statements that take longer than five seconds; read only inside.

    Args:
        by_index: read no whole table, whatever the statistics say: ended tasks outnumber the others a thousandfold.

    Raises:
        django.db.OperationalError: a statement took longer.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            settings = [f"SET LOCAL statement_timeout = {STATEMENT_MS}"]
            if by_index:
                settings.append("SET LOCAL enable_seqscan = off")
            cursor.execute("; ".join(settings))
        yield


def took_too_long(error: OperationalError) -> bool:
    """Say whether a statement was given up for its time; if not, the database is away, or refuses."""
    return isinstance(error.__cause__, QueryCanceled)
