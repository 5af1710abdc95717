"""Lists of tables that grow for ever: newest first, a page of them at one price whatever is filtered for.

A filter that few rows pass would have a list walk through all that there are. Here a page looks at a limited number of
rows, and tells where to go on when there may be more behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.sql.datastructures import BaseTable

from tasks.sql.index_order import in_index_order

Row = TypeVar("Row", bound=Model)

WINDOW = 2_000
# So few found by an index are all of them: there is no walking then.
FEW = 500


@dataclass(frozen=True)
class Found(Generic[Row]):
    """Rows in the order of the list. Behind `end` there may be more, even where these are few; None: these are all."""

    rows: list[Row]
    end: Any


def find(
    wanted: QuerySet[Row],
    sources: Sequence[QuerySet[Row]],
    *,
    most: int,
    after: Any = None,
    newest_first: bool = True,
    by_index: QuerySet[Any] | None = None,
) -> Found[Row]:
    """Return the rows that are wanted among the next of some sources.

    Args:
        wanted: the rows with all filters, and with what is to be loaded along.
        sources: each without other filters than those that an index in the order of the primary key serves; no row is
            in two of them, and whatever is wanted is in one.
        after: the primary key behind which to look: `Found.end` of the page before.
        by_index: rows with these keys alone are wanted, found by another index: if they are few, none is missed.
    """
    # Rows and ends are read at one moment, or a task that starts between the two is on no page.
    with in_index_order(of_one_moment=True):
        return _find(wanted, sources, most=most, after=after, newest_first=newest_first, by_index=by_index)


def _find(
    wanted: QuerySet[Row],
    sources: Sequence[QuerySet[Row]],
    *,
    most: int,
    after: Any,
    newest_first: bool,
    by_index: QuerySet[Any] | None,
) -> Found[Row]:
    order = "-pk" if newest_first else "pk"
    if after is not None:
        sources = [source.filter(**{"pk__lt" if newest_first else "pk__gt": after}) for source in sources]
    if not sources:
        return Found([], None)
    ordered = [source.order_by(order) for source in sources]
    # What is in nearly every row is found in a few of them; only then is an index asked, which would find them all.
    for window in [WINDOW] if by_index is None else [WINDOW // 10, WINDOW]:
        each = max(1, window // len(sources))
        found = list(_among(wanted, [source[:each] for source in ordered]).order_by(order)[: most + 1])
        is_full = len(found) > most
        # One source reaches further back than another: only up to there is nothing missing.
        ends = [] if is_full and len(sources) == 1 else _ends(ordered, each)
        end = None if not ends else max(ends) if newest_first else min(ends)
        if end is not None:
            found = [row for row in found if (row.pk >= end if newest_first else row.pk <= end)]
        if len(found) > most:
            return Found(found[:most], found[most - 1].pk)
        if end is None:
            return Found(found, None)
        if window < WINDOW and by_index is not None and (keys := _few(by_index)) is not None:
            rows = wanted.filter(pk__in=keys)
            if after is not None:
                rows = rows.filter(**{"pk__lt" if newest_first else "pk__gt": after})
            found = list(rows.order_by(order)[: most + 1])
            return Found(found[:most], found[most - 1].pk if len(found) > most else None)
    return Found(found, end)


def count(wanted: QuerySet[Any], sources: Sequence[QuerySet[Any]], *, most: int) -> tuple[int, bool]:
    """Return how many are wanted, `most` at most, and whether that is all: of as many rows as `find` looks at."""
    if not sources:
        return 0, True
    each = max(1, WINDOW // len(sources))
    ordered = [source.order_by("-pk") for source in sources]
    with in_index_order(of_one_moment=True):
        found = _among(wanted, [source[:each] for source in ordered]).order_by()[: most + 1].count()
        if found > most:
            return most, False
        return found, not _ends(ordered, each)


def _few(rows: QuerySet[Any]) -> list[Any] | None:
    with connection.cursor() as cursor:
        # Indexes of what is in arrays and JSON are read as bitmaps only.
        cursor.execute("SET LOCAL enable_bitmapscan = on; SET LOCAL enable_seqscan = off")
        keys = list(rows.order_by().values_list("pk", flat=True)[: FEW + 1])
        cursor.execute("SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan TO DEFAULT")
    return keys if len(keys) <= FEW else None


def _ends(ordered: Sequence[QuerySet[Any]], each: int) -> list[Any]:
    """Return the last key of each source that has as many rows as are looked at: there may be more behind it."""
    first, *others = [source.values_list("pk", flat=True)[each - 1 : each] for source in ordered]
    return list(first.union(*others, all=True) if others else first)


def _among(wanted: QuerySet[Row], sources: Sequence[QuerySet[Any]]) -> QuerySet[Row]:
    """Return what is wanted of the rows of some sliced querysets, read in their order and no further than needed."""
    rows = wanted.all()
    alias = rows.query.get_initial_alias()
    rows.query.alias_map[alias] = _Sources(alias, sources)
    return rows


class _Sources(BaseTable):
    """Stands in the place of the table. No plan looks behind a LIMIT within FROM, so whatever the statistics say of the
    filters, the sources are walked by their indexes, and only as far as rows are wanted."""

    def __init__(self, table: str, sources: Sequence[QuerySet[Any]]) -> None:
        super().__init__(table, table)
        self._sources = sources

    def as_sql(self, compiler: Any, connection_: Any) -> tuple[str, Any]:
        parts, params = [], []
        for source in self._sources:
            # One that Django knows to be empty has no SQL.
            with suppress(EmptyResultSet):
                text, given = source.query.get_compiler(connection=connection).as_sql()
                parts.append(f"({text})")
                params += given
        if not parts:
            raise EmptyResultSet
        return f"({' UNION ALL '.join(parts)}) {connection.ops.quote_name(self.table_name)}", params
