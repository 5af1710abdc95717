"""Empties the database after a test and puts back what migrations had put in.

Django does the same by truncating each table and saving each row anew, which takes longer than most tests: a third of a
second. And it does so only before the next test of the same kind: others had all to be run before.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

SCHEMA = "test_seeds"
# Of more than this, dead rows would be left that later tests step over.
MOST_DELETED_BYTES = 4 * 1024 * 1024
# A process that still runs may have been faster.
ANYWAY = "ON CONFLICT DO NOTHING"


def keep() -> None:
    """Copy all rows aside, as they are once the migrations have run."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
        for table in _not_empty():
            cursor.execute(f"CREATE TABLE {SCHEMA}.{table} AS TABLE {table}")


def serve(used: BaseDatabaseWrapper) -> None:
    """Let Django reset the database in this way whenever it does so by this connection."""
    used.creation.deserialize_db_from_string = leave
    used.ops.execute_sql_flush = reset


def leave(data: str) -> None:
    """Put nothing back, for all is there: what `serialized_rollback` calls before a test."""


def reset(sql_list: Iterable[str]) -> None:
    """Delete all rows but those of the migrations: what `flush` calls after a test."""
    with transaction.atomic(), connection.cursor() as cursor:
        tables = _not_empty()
        cursor.execute("SELECT max(pg_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name", [_tables()])
        if cursor.fetchone()[0] > MOST_DELETED_BYTES:
            cursor.execute(f"TRUNCATE {', '.join(_tables())}")
        elif tables:
            cursor.execute(";".join(f"DELETE FROM {table}" for table in tables))
        _put_back(cursor)


def renew() -> None:
    """Empty all tables but for the rows of the migrations, so that neither they nor the planner remember other tests.

    What was deleted leaves pages to step over, and statistics of it: which index is used then, and how many pages are
    read, depends on what ran before in the same database.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(_tables())}")
        _put_back(cursor)
        cursor.execute(f"ANALYZE {', '.join(_tables())}")


def _put_back(cursor: CursorWrapper) -> None:
    # Foreign keys are checked at the end of the transaction: in any order.
    cursor.execute(";".join(f"INSERT INTO {table} SELECT * FROM {SCHEMA}.{table} {ANYWAY}" for table in _seeded()))


@cache
def _tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(connection.ops.quote_name(name) for name in names)


@cache
def _seeded() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = %s", [SCHEMA])
        return [table for (table,) in cursor.fetchall()]


def _not_empty() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in _tables()))
        return [table for (table,) in cursor.fetchall()]
