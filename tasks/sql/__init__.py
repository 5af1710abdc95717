"""The hot statements: raw SQL, one a file, named parameters only.

Each file is headed by what it does, what it locks in which order, and the index it needs.
Statements whose header says *async* set ``synchronous_commit = off`` for their transaction: what
they do can be redone from durable rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from django.db import connection
from psycopg.rows import namedtuple_row

FOLDER = Path(__file__).parent


@cache
def statement(name: str) -> bytes:
    """Return the text of ``<name>.sql``."""
    return (FOLDER / f"{name}.sql").read_bytes()


def run(name: str, params: Mapping[str, Any]) -> list[Any]:
    """Run ``<name>.sql`` on Django's connection and return its rows as named tuples.

    Joins the transaction that is open, else commits by itself. Parameters are bound by the server,
    so the statement is planned once per connection.

    Raises:
        django.db.DatabaseError: as Django's cursor would.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(_raw(), row_factory=namedtuple_row) as cursor:
        cursor.execute(statement(name), params, prepare=True)
        rows: list[NamedTuple] = cursor.fetchall() if cursor.rownumber is not None else []
        return rows


def run_one(name: str, params: Mapping[str, Any]) -> Any:
    """Run a statement that gives at most one row; return it or None."""
    rows = run(name, params)
    return rows[0] if rows else None


def _raw() -> psycopg.Connection[Any]:
    raw: psycopg.Connection[Any] = connection.connection
    return raw
