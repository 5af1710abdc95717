"""The hot statements: raw SQL, one a file, named parameters only. Rows come as Python's values, JSON included.

Each file is headed by what it does, what it locks in which order, and the index it needs.
Statements whose header says *async* set ``synchronous_commit = off`` for their transaction: what
they do can be redone from durable rows.

The caller brings the class of its rows: a NamedTuple beside it, with one field for each column, in the order of the
columns. A test compares the two (`tests/sql/test_rows.py`); at run time a row costs no more than a tuple.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psycopg
from django.db import connection
from psycopg.rows import RowFactory, tuple_row
from psycopg.types.json import JsonbLoader

FOLDER = Path(__file__).parent

Row = TypeVar("Row", bound=NamedTuple)
Made = TypeVar("Made")


class _Cursor(psycopg.Cursor[Made]):
    """Decodes json and jsonb alike.

    Django's connections leave jsonb to the ORM's fields, as text, and decode json: who reads rows must not need to know
    by which of the two a statement was written. Text that is wanted as text is cast in the statement.
    """

    def __init__(self, raw: psycopg.Connection[Any], row_factory: RowFactory[Made]) -> None:
        super().__init__(raw, row_factory=row_factory)
        self.adapters.register_loader("jsonb", JsonbLoader)


class _Thread(threading.local):
    pipeline: psycopg.Pipeline | None = None


_thread = _Thread()


@cache
def statement(name: str) -> bytes:
    """Return the text of ``<name>.sql``; names have the folder, as in ``lifecycle/claim``."""
    return (FOLDER / f"{name}.sql").read_bytes()


def run(name: str, params: Mapping[str, Any], *, row: type[Row]) -> list[Row]:
    """Run ``<name>.sql`` on Django's connection and return its rows.

    Joins the transaction that is open, else commits by itself. Parameters are bound by the server,
    so the statement is planned once per connection.

    Raises:
        django.db.DatabaseError: as Django's cursor would.
    """
    return send(name, params, row=row)()


def run_one(name: str, params: Mapping[str, Any], *, row: type[Row]) -> Row | None:
    """Run a statement that gives at most one row; return it or None."""
    rows = run(name, params, row=row)
    return rows[0] if rows else None


def execute(name: str, params: Mapping[str, Any]) -> None:
    """Run a statement that gives no rows, or none that anybody wants. Within `pipeline` it is only sent.

    Raises:
        django.db.DatabaseError: as `run`; in a pipeline when that ends or rows are asked for.
    """
    _sent(name, params, tuple_row)


def count(name: str, params: Mapping[str, Any]) -> int:
    """Run a statement and return how many rows it changed or gave. Not within `pipeline`.

    Raises:
        django.db.DatabaseError: as `run`.
    """
    return _sent(name, params, tuple_row).rowcount


def send(name: str, params: Mapping[str, Any], *, row: type[Row]) -> Callable[[], list[Row]]:
    """Run a statement whose rows are wanted later; returns what gives them.

    Within `pipeline` it is only sent: the next statement does not wait for its answer.

    Raises:
        django.db.DatabaseError: as `run`; in a pipeline when that ends or rows are asked for.
    """
    # By position: psycopg's `class_row`, which goes by name, costs five times as much.
    make = row._make
    cursor = _sent(name, params, lambda _cursor: make)

    def rows() -> list[Row]:
        with connection.wrap_database_errors:
            if cursor.pgresult is None and _thread.pipeline is not None:
                # In a pipeline there is no result before it is asked for. Not left to psycopg, which would send Flush:
                # before a Sync the server does not time how long a client is silent within a transaction, so one that
                # freezes now would keep its locks for ever.
                _thread.pipeline.sync()
            return cursor.fetchall()

    return rows


@contextmanager
def pipeline() -> Iterator[None]:
    """Send statements without waiting for the answer to each: one round trip for all that lies between two questions.

    For what stands above and nothing else: Django's own queries want their answers at once. Needs a transaction; its
    BEGIN goes along.

    Raises:
        django.db.DatabaseError: a statement failed whose rows nobody asked for.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, _raw().pipeline() as opened:
        _thread.pipeline = opened
        try:
            yield
        finally:
            _thread.pipeline = None


def _sent(name: str, params: Mapping[str, Any], row_factory: RowFactory[Made]) -> psycopg.Cursor[Made]:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return _Cursor(_raw(), row_factory).execute(statement(name), params, prepare=True)


def _raw() -> psycopg.Connection[Any]:
    raw: psycopg.Connection[Any] = connection.connection
    return raw
