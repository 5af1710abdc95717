"""Finds what is wrong with a pooler between us and Postgres, before anything odd happens behind it.

LISTEN, prepared statements and settings belong to a connection. A pooler in transaction mode gives each transaction
another one: everything starts, and then notifications are missing and submissions fail. So whatever starts refuses
instead, with a sentence, unless `DATABASE_DIRECT_URL` says where Postgres is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.db import connections

from tasks.direct import connection_parameters, direct_settings

logger = logging.getLogger(__name__)

IN_TRANSACTION_MODE = (
    "DATABASE_URL leads through a connection pooler in transaction mode (PgBouncer or the like), in which "
    "notifications and all else that belongs to a session are lost. Set DATABASE_DIRECT_URL, too, to the address of "
    "Postgres itself, or pool_mode = session for the pooler."
)
DIRECT_IN_TRANSACTION_MODE = (
    "DATABASE_DIRECT_URL leads through a connection pooler in transaction mode, too: set it to the address of Postgres "
    "itself, or of a pooler in session mode."
)
ELSEWHERE = (
    "DATABASE_URL and DATABASE_DIRECT_URL lead to two databases: what happens in one is never heard of in the other. "
    "Set both to the same, once through the pooler and once past it."
)
SETTINGS_LOST = (
    "Sessions through DATABASE_URL do not have {names} as the portal sets it, for a pooler drops that: give it to the "
    "pooler's connections by connect_query, as deploy/pgbouncer.ini does, or to the role (docs/operating.md). Without "
    "time limits one lost client can hold up others, and without its plans a node is slow."
)

Connection = psycopg.Connection[Any]


class UnusablePooler(Exception):
    """What is between the portal and Postgres cannot be used; the message says what to do."""


def refuse_pooler() -> None:
    """Do nothing when the database can be used, or does not answer: whoever starts waits for it in its own way.

    Raises:
        UnusablePooler: a pooler in transaction mode is between, and no way past it is known.
    """
    try:
        for words in pooler_faults():
            raise UnusablePooler(words)
        for words in lost_settings():
            logger.warning("%s", words)
    except psycopg.OperationalError as error:
        logger.warning("The database does not answer, so a pooler in between cannot be ruled out: %s", error)


def pooler_faults() -> Iterator[str]:
    """Yield a sentence for what makes the addresses unusable.

    Raises:
        psycopg.OperationalError: the database does not answer.
    """
    pooled = _pooled()
    if shares_connections():
        yield DIRECT_IN_TRANSACTION_MODE if pooled else IN_TRANSACTION_MODE
    if pooled:
        with _connect() as direct, _connect(pooled) as through:
            if _database(direct) != _database(through):
                yield ELSEWHERE


def lost_settings() -> Iterator[str]:
    """Yield a sentence if settings do not reach the sessions that most of the work is done in.

    Raises:
        psycopg.OperationalError: the database does not answer.
    """
    wanted = dict(re.findall(r"-c (\w+)=(\S+)", str(_direct()["OPTIONS"]["options"])))
    with _connect(_pooled()) as through:
        there = through.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [list(wanted)])
        lost = [name for name, value in there if value != wanted[name]]
    if lost:
        yield SETTINGS_LOST.format(names=", ".join(sorted(lost)))


def shares_connections() -> bool:
    """Say whether two sessions that are open at once are served by one backend, or one session by several.

    Asks the way past the pooler, where there is one. Six round trips on two connections. A pooler in transaction mode
    gives the second, while it is in a transaction, the backend that the first has just used; if it gives it another, or
    was asked for another meanwhile, it gives the first one another, too, once its own is taken.

    Raises:
        psycopg.OperationalError: the database does not answer.
    """
    with _connect() as first, _connect() as second:
        seen = {_backend(first), _backend(first)}
        with second.transaction():
            held = _backend(second)
            # Not asked again when it is clear already: with a single backend it would wait for ever.
            return len(seen) > 1 or held in seen or _backend(first) not in seen


def check_pooler(
    *, app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Django's system check, for `manage.py migrate` and `check --database default`."""
    if databases is None:
        # All other commands, of which many need no database.
        return []
    try:
        refuse_pooler()
    except UnusablePooler as refused:
        return [Error(str(refused), id="portal.E001")]
    return []


def _direct() -> dict[str, Any]:
    return direct_settings(connections["default"].settings_dict)


def _pooled() -> dict[str, Any]:
    """Return Django's settings of the address that leads through a pooler, or nothing where no other one is known."""
    pooled: dict[str, Any] = connections["default"].settings_dict.get("POOLED", {})
    return pooled


def _connect(settings: dict[str, Any] | None = None) -> Connection:
    # Nothing is prepared: what this is about is whether that could be found again.
    return psycopg.connect(**connection_parameters(settings), autocommit=True, prepare_threshold=None)


def _backend(connection: Connection) -> int:
    return int(_row(connection, "SELECT pg_backend_pid()")[0])


def _database(connection: Connection) -> tuple[Any, ...]:
    """Return what no two databases have in common that are there at once."""
    return _row(
        connection,
        "SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()",
    )


def _row(connection: Connection, query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query).fetchone()
    assert row is not None
    return row
