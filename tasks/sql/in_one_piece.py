"""Two statements, each a transaction of its own, that go to the server in one piece.

Not by psycopg's pipeline: an error that a commit gives (of a deferred constraint) answers the Sync behind it, and
psycopg is lost then.
"""

from __future__ import annotations

import itertools
import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.raw_cursor import RawCursor

UNKNOWN_STATEMENT = b"26000"

# A statement's text, and the types of its parameters.
Prepared = tuple[bytes, tuple[int, ...]]
# By connection: the names of what was prepared there.
_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[Prepared, bytes]] = WeakKeyDictionary()
_numbers = itertools.count()


class Answers(NamedTuple):
    """The rows of the first statement, as tuples; `is_second_done`: the second was committed, too."""

    rows: list[tuple[Any, ...]]
    is_second_done: bool


def send_in_one_piece(cursor: RawCursor[Any], text: bytes, params: Sequence[Any], then: bytes) -> Answers:
    """Run a statement, and behind it another that takes nothing; each commits by itself.

    Args:
        cursor: says by which adapters values and rows are converted. Its connection has no transaction open.

    Raises:
        psycopg.Error: the first failed, and nothing of it was done, or the connection ended before its answer.
    """
    raw = cursor.connection
    converter = Transformer(cursor)
    values = converter.dump_sequence(params, [PyFormat.AUTO] * len(params))
    types = tuple(converter.types or ())
    with raw.lock:
        first, is_second_done = _send(raw, (text, types), (then, ()), values, converter.formats)
        if _is_unprepared(first):
            # psycopg lets the server forget all that was prepared, after a ROLLBACK for one.
            _prepared.pop(raw, None)
            first, is_second_done = _send(raw, (text, types), (then, ()), values, converter.formats)
    for result in first:
        if result.status == ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result, encoding=raw.info.encoding)
    converter.set_pgresult(first[0])
    return Answers(converter.load_rows(0, first[0].ntuples, tuple), is_second_done)


def _send(
    raw: psycopg.Connection[Any],
    first: Prepared,
    second: Prepared,
    values: Sequence[Any],
    formats: Sequence[Any] | None,
) -> tuple[list[PGresult], bool]:
    # Behind a pooler nothing is prepared: what one connection knows, the next does not.
    names = [_name_of(raw, wanted) if raw.prepare_threshold is not None else None for wanted in (first, second)]
    with _pipeline(raw) as pgconn:
        for name, (text, types), given in zip(names, (first, second), (values, ()), strict=True):
            if name is None:
                pgconn.send_query_params(text, given, param_types=types, param_formats=formats if given else None)
            else:
                pgconn.send_query_prepared(name, given, param_formats=formats if given else None)
            pgconn.pipeline_sync()
        _send_all(pgconn)
        return _answer(pgconn), _is_done(pgconn)


def _is_unprepared(results: Sequence[PGresult]) -> bool:
    return any(result.error_field(DiagnosticField.SQLSTATE) == UNKNOWN_STATEMENT for result in results)


@contextmanager
def _pipeline(raw: psycopg.Connection[Any]) -> Iterator[PGconn]:
    raw.pgconn.enter_pipeline_mode()
    try:
        yield raw.pgconn
        if raw.pgconn.status == ConnStatus.OK:
            raw.pgconn.exit_pipeline_mode()
    except BaseException:
        # Answers may be under way that nobody would know any more.
        raw.close()
        raise


def _name_of(raw: psycopg.Connection[Any], wanted: Prepared) -> bytes:
    names = _prepared.setdefault(raw, {})
    if wanted not in names:
        name = b"portal_%d" % next(_numbers)
        made = raw.pgconn.prepare(name, *wanted)
        if raw.pgconn.status != ConnStatus.OK:
            # libpq says so itself, without a SQLSTATE: psycopg would not know what kind of error that is.
            raise psycopg.OperationalError(made.get_error_message(raw.info.encoding))
        if made.status == ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(made, encoding=raw.info.encoding)
        names[wanted] = name
    return names[wanted]


def _send_all(pgconn: PGconn) -> None:
    while pgconn.flush():
        _wait(pgconn, select.POLLIN | select.POLLOUT)
        pgconn.consume_input()


def _answer(pgconn: PGconn) -> list[PGresult]:
    """Return the results of a transaction: of its statement, and an error of its commit where there is one."""
    results: list[PGresult] = []
    while True:
        while pgconn.is_busy():
            _wait(pgconn, select.POLLIN)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is not None and result.status == ExecStatus.PIPELINE_SYNC:
            return results
        if result is not None:
            results.append(result)
        elif pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError("The connection ended.")


def _is_done(pgconn: PGconn) -> bool:
    try:
        return all(result.status != ExecStatus.FATAL_ERROR for result in _answer(pgconn))
    except psycopg.OperationalError:
        return False


def _wait(pgconn: PGconn, events: int) -> None:
    poll = select.poll()
    poll.register(pgconn.socket, events)
    poll.poll()
