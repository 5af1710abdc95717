"""The hot statements: raw SQL, one a file, named parameters only. Rows come as Python's values, JSON included.

Each file is headed by what it does, what it locks in which order, and the index it needs.
Statements whose header says *async* set ``synchronous_commit = off`` for their transaction: what
they do can be redone from durable rows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from django.db import connection
from psycopg.pq import ExecStatus
from psycopg.rows import namedtuple_row
from psycopg.types.json import JsonbLoader

FOLDER = Path(__file__).parent


class _Cursor(psycopg.Cursor[Any]):
    """Gives named tuples, and decodes json and jsonb alike.

    Django's connections leave jsonb to the ORM's fields, as text, and decode json: who reads rows must not need to know
    by which of the two a statement was written. Text that is wanted as text is cast in the statement.
    """

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        super().__init__(raw, row_factory=namedtuple_row)
        self.adapters.register_loader("jsonb", JsonbLoader)


class _Thread(threading.local):
    pipeline: psycopg.Pipeline | None = None


_thread = _Thread()


@cache
def statement(name: str) -> bytes:
    """Return the text of ``<name>.sql``; names have the folder, as in ``lifecycle/claim``."""
    return (FOLDER / f"{name}.sql").read_bytes()


def run(name: str, params: Mapping[str, Any]) -> list[Any]:
    """Run ``<name>.sql`` on Django's connection and return its rows as named tuples.

    Joins the transaction that is open, else commits by itself. Parameters are bound by the server,
    so the statement is planned once per connection.

    Raises:
        django.db.DatabaseError: as Django's cursor would.
    """
    return send(name, params)()


def send(name: str, params: Mapping[str, Any]) -> Callable[[], list[Any]]:
    """Run a statement whose rows are wanted later, or not at all; returns what gives them.

    Within `pipeline` it is only sent: the next statement does not wait for its answer.

    Raises:
        django.db.DatabaseError: as `run`; in a pipeline when that ends or rows are asked for.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = _Cursor(_raw())
        cursor.execute(statement(name), params, prepare=True)

    def rows() -> list[NamedTuple]:
        # In a pipeline there is no result before it is asked for.
        if cursor.pgresult is not None and cursor.rownumber is None:
            return []
        with connection.wrap_database_errors:
            if cursor.pgresult is None and _thread.pipeline is not None:
                # Not left to psycopg, which would send Flush: before a Sync the server does not time how long a client
                # is silent within a transaction, so one that freezes now would keep its locks for ever.
                _thread.pipeline.sync()
            try:
                return cursor.fetchall()
            except psycopg.ProgrammingError:
                if cursor.pgresult is not None and cursor.pgresult.status == ExecStatus.COMMAND_OK:
                    return []  # as it turns out, a statement without rows
                raise

    return rows


@contextmanager
def pipeline() -> Iterator[None]:
    """Send statements without waiting for the answer to each: one round trip for all that lies between two questions.

    For `run` and `send` and nothing else: Django's own queries want their answers at once. Needs a transaction; its
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


def run_one(name: str, params: Mapping[str, Any]) -> Any:
    """Run a statement that gives at most one row; return it or None."""
    rows = run(name, params)
    return rows[0] if rows else None


def _raw() -> psycopg.Connection[Any]:
    raw: psycopg.Connection[Any] = connection.connection
    return raw
