"""Reads in the order of indexes, whatever the planner believes that there is.

Of statuses there are no statistics (docs/decisions/0020-no-statistics-of-statuses.md), so it takes all that is held or
ended for few. Those it would rather read whole, by an index that has them in the order of the table, and sort.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def in_index_order(*, of_one_moment: bool = False) -> Iterator[None]:
    """Have no rows gathered and sorted that an index has in order: for statements that say which order that is.

    Args:
        of_one_moment: all statements inside see the same; in a transaction of somebody else it is too late for that.
    """
    snapshot = of_one_moment and not connection.in_atomic_block
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(f"{'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;' if snapshot else ''} {_SORT_NOTHING}")
        yield
        # The transaction may be somebody else's, and go on.
        cursor.execute(_AS_BEFORE)


_SORT_NOTHING = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
_AS_BEFORE = "SET LOCAL enable_sort TO DEFAULT; SET LOCAL enable_bitmapscan TO DEFAULT"
