"""Finds a pooler between us and Postgres that gives each transaction another connection, which the portal cannot use.

LISTEN, prepared statements and settings belong to a connection. Behind such a pooler everything starts, and then each
submission fails; so whatever starts refuses instead, with a sentence.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

from tasks.live.hub import connection_parameters

logger = logging.getLogger(__name__)

IN_TRANSACTION_MODE = (
    "DATABASE_URL leads through a connection pooler in transaction mode (PgBouncer or the like), which the portal "
    "cannot use: notifications and prepared statements need a connection of their own. Set pool_mode = session for it, "
    "or point DATABASE_URL at Postgres itself."
)
SETTINGS_LOST = (
    "The settings of a session do not reach Postgres: a pooler drops them (ignore_startup_parameters). Give "
    "them to the role, see docs/operating.md; without time limits one lost client can hold up others."
)


class UnusablePooler(Exception):
    """What is between the portal and Postgres cannot be used; the message says what to do."""


def refuse_pooler() -> None:
    """Do nothing when the database can be used, or does not answer: whoever starts waits for it in its own way.

    Raises:
        UnusablePooler: a pooler in transaction mode is between.
    """
    try:
        if shares_connections():
            raise UnusablePooler(IN_TRANSACTION_MODE)
    except psycopg.OperationalError as error:
        logger.warning("The database does not answer, so a pooler in between cannot be ruled out: %s", error)


def shares_connections() -> bool:
    """Say whether two sessions that are open at once are served by one backend, or one session by several.

    Six round trips on two connections. A pooler in transaction mode gives the second, while it is in a transaction, the
    backend that the first has just used; if it gives it another, or was asked for another meanwhile, it gives the first
    one another, too, once its own is taken.

    Raises:
        psycopg.OperationalError: the database does not answer.
    """
    with _connect() as first, _connect() as second:
        if not _setting(first, "lock_timeout"):
            logger.warning(SETTINGS_LOST)
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


def _connect() -> psycopg.Connection[Any]:
    return psycopg.connect(**connection_parameters(), autocommit=True)


def _backend(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def _setting(connection: psycopg.Connection[Any], name: str) -> int:
    row = connection.execute("SELECT setting::int FROM pg_settings WHERE name = %s", [name]).fetchone()
    assert row is not None
    return int(row[0])
