"""The hot statements: raw SQL, one a file, named parameters only. Rows come as Python's values, JSON included.

Each file is headed by what it does, what it locks in which order, and the index it needs.
Statements whose header says *async* set ``synchronous_commit = off`` for their transaction: what
they do can be redone from durable rows.

The caller brings the class of its rows: a NamedTuple beside it, with one field for each column, in the order of the
columns. A test compares the two (`tests/sql/test_rows.py`); at run time a row costs no more than a tuple.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psycopg
from django.db import connection, transaction
from psycopg.pq import TransactionStatus
from psycopg.rows import RowFactory, tuple_row
from psycopg.types.json import JsonbLoader

from tasks.sql.in_one_piece import send_in_one_piece

FOLDER = Path(__file__).parent

Row = TypeVar("Row", bound=NamedTuple)
Made = TypeVar("Made")

_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


class _Cursor(psycopg.RawCursor[Made]):
    """Takes parameters by position, and decodes json and jsonb alike.

    Django's connections leave jsonb to the ORM's fields, as text, and decode json: who reads rows must not need to know
    by which of the two a statement was written. Text that is wanted as text is cast in the statement.
    """

    def __init__(self, raw: psycopg.Connection[Any], row_factory: RowFactory[Made]) -> None:
        super().__init__(raw, row_factory=row_factory)
        self.adapters.register_loader("jsonb", JsonbLoader)


class _Thread(threading.local):
    pipeline: psycopg.Pipeline | None = None
    is_one_trip = False


_thread = _Thread()


@cache
def statement(name: str) -> bytes:
    """Return the text of ``<name>.sql``, without its comments; names have the folder, as in ``lifecycle/claim``.

    A line that is a name in braces stands for the text of that statement.
    """
    lines = (line.strip() for line in (FOLDER / f"{name}.sql").read_bytes().splitlines())
    return b"\n".join(_included(line) for line in lines if line and not line.startswith(b"--"))


def _included(line: bytes) -> bytes:
    return statement(line[1:-1].decode()) if line.startswith(b"{") else line


@cache
def positional(name: str) -> tuple[bytes, tuple[str, ...]]:
    """Return the text with Postgres' own marks (``$1``), and the parameters' names in their order.

    psycopg would look for parameters in long texts at each run.
    """
    names: dict[bytes, int] = {}

    def mark(found: re.Match[bytes]) -> bytes:
        if found[0] == b"%%":
            return b"%"
        return b"$%d" % names.setdefault(found["name"], len(names) + 1)

    text = re.sub(rb"%%|%\((?P<name>\w+)\)s", mark, statement(name))
    return text, tuple(given.decode() for given in names)


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


def run_hardened(name: str, params: Mapping[str, Any], *, row: type[Row]) -> tuple[list[Row], bool]:
    """Run a statement that commits asynchronously by itself, and wait in the same round trip until that is durable.

    Returns its rows, and whether it is; if not, or where a transaction is open, that is up to the caller.

    Raises:
        django.db.DatabaseError: as `run`.
    """
    if connection.in_atomic_block:
        return run(name, params, row=row), False
    connection.ensure_connection()
    text, names = positional(name)
    with connection.wrap_database_errors:
        cursor = _Cursor(_raw(), tuple_row)
        answers = send_in_one_piece(cursor, text, [params[given] for given in names], _hardening())
    return [row._make(values) for values in answers.rows], answers.is_second_done


@cache
def _hardening() -> bytes:
    return positional("lifecycle/harden")[0]


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
        if _thread.is_one_trip:
            raise RuntimeError(
                "In one trip, rows are there when it has ended: asking for them would commit half of it."
            )
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


@contextmanager
def one_trip() -> Iterator[None]:
    """Send statements that are a transaction of their own: a single round trip, BEGIN and COMMIT included.

    Rows are asked for afterwards. Nothing is sent before all is there: a client that froze in between would keep its
    locks for ever.

    Raises:
        django.db.DatabaseError: a statement failed, or the commit, and nothing of them was done.
    """
    if connection.in_atomic_block:
        # Django refuses this, unless the other one is a test's.
        with transaction.atomic(durable=True), pipeline():
            yield
        return
    try:
        with pipeline(), _held_back():
            # Not left to the Sync at the end, which commits as well: psycopg is lost when an error answers that.
            _say(b"BEGIN")
            yield
            _say(b"COMMIT")
    except BaseException:
        _roll_back()
        raise


@contextmanager
def _held_back() -> Iterator[None]:
    """psycopg sends each statement as it is executed; here what is queued goes out when the pipeline ends."""
    assert _thread.pipeline is not None
    _thread.pipeline._communicate_gen = lambda: iter(())  # type: ignore[method-assign,assignment,return-value]
    _thread.is_one_trip = True
    try:
        yield
    finally:
        _thread.is_one_trip = False
        del _thread.pipeline._communicate_gen


def _say(text: bytes) -> None:
    with connection.wrap_database_errors:
        psycopg.Cursor(_raw()).execute(text, prepare=True)


def _roll_back() -> None:
    raw: psycopg.Connection[Any] | None = connection.connection
    if raw is not None and raw.info.transaction_status in _OPEN:
        # Where this fails, too, the connection is of no more use, and whoever asks it next is told.
        with suppress(psycopg.Error):
            raw.rollback()


def _sent(name: str, params: Mapping[str, Any], row_factory: RowFactory[Made]) -> psycopg.Cursor[Made]:
    connection.ensure_connection()
    text, names = positional(name)
    with connection.wrap_database_errors:
        return _Cursor(_raw(), row_factory).execute(text, [params[given] for given in names], prepare=True)


def _raw() -> psycopg.Connection[Any]:
    raw: psycopg.Connection[Any] = connection.connection
    return raw
