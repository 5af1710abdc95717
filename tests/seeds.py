"""Empties the database after a test and puts back what migrations had put in.

Django does the same by truncating each table and saving each row anew, which takes longer than most tests: a third of a
second.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from django.db import connection, transaction

SCHEMA = "test_seeds"
# Of more than this, dead rows would be left that later tests step over.
MOST_DELETED_BYTES = 4 * 1024 * 1024


def keep() -> None:
    """Copy all rows aside, as they are once the migrations have run."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
        for table in _not_empty():
            cursor.execute(f"CREATE TABLE {SCHEMA}.{table} AS TABLE {table}")


def restore(_serialized: str) -> None:
    """Put them back where they are missing: what `serialized_rollback` calls."""
    # Foreign keys are checked at the end of the transaction: in any order.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = %s", [SCHEMA])
        for (table,) in cursor.fetchall():
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {SCHEMA}.{table} ON CONFLICT DO NOTHING")


def empty(_statements: Sequence[str]) -> None:
    """Delete all rows: what `flush` calls."""
    with transaction.atomic(), connection.cursor() as cursor:
        tables = _not_empty()
        cursor.execute("SELECT max(pg_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name", [_tables()])
        if cursor.fetchone()[0] > MOST_DELETED_BYTES:
            cursor.execute(f"TRUNCATE {', '.join(_tables())}")
        elif tables:
            cursor.execute(";".join(f"DELETE FROM {table}" for table in tables))


@cache
def _tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(connection.ops.quote_name(name) for name in names)


def _not_empty() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in _tables()))
        return [table for (table,) in cursor.fetchall()]
