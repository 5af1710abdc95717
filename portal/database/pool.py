"""How a web process pools its connections, so that an outage of the database is over when it is over.

psycopg's pool hands out what it has: after a restart of Postgres each idle connection fails one request. Its own check
(`CONN_HEALTH_CHECKS`) waits longer and longer between one dead connection and the next, a second, two, four: with six
of them it gives up after its thirty seconds. So we look ourselves (`portal.database.base`), and never wait in between.
"""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db import connection
from psycopg_pool import ConnectionPool

Pool = ConnectionPool[psycopg.Connection[Any]]

# Long enough for a restart, which nobody then notices.
PATIENCE_SECONDS = 10.0
# The outage is known: whoever waits would only take a thread from pages that need no database. Longer than the
# longest pause between two attempts to connect.
OUTAGE_PATIENCE_SECONDS = 4.0
# Attempts come after about 0, 1 and 3 seconds, and then anew: psycopg's own pauses grow to minutes.
RECONNECT_SECONDS = 3.0


def pool_options(max_size: int) -> dict[str, Any]:
    """Return Django's option ``pool``."""
    return {
        "min_size": 2,
        "max_size": max_size,
        "timeout": PATIENCE_SECONDS,
        "reconnect_timeout": RECONNECT_SECONDS,
        "reconnect_failed": go_on_trying,
    }


def go_on_trying(pool: Pool) -> None:
    """Begin a new round of attempts: whoever waits already asks for none."""
    pool.timeout = OUTAGE_PATIENCE_SECONDS
    pool.check()


def is_sound(taken: psycopg.Connection[Any]) -> bool:
    """Say whether an idle connection still leads to the server; asks it only when there is reason to.

    An idle server says nothing: something to read is its farewell, or rarely a changed setting. A peer that vanished
    is made known in the same way by the keepalives.
    """
    poll = select.poll()
    poll.register(taken.fileno(), select.POLLIN)
    if not poll.poll(0):
        return True
    try:
        ConnectionPool.check_connection(taken)
    except psycopg.Error:
        return False
    return True


def check_pool() -> None:
    """Ask each idle connection of this process's pool, and replace those that are dead; after a known outage."""
    pool: Pool | None = connection.pool  # type: ignore[attr-defined]
    if pool is not None and not pool.closed:
        pool.check()
