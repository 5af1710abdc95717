"""Sessions of one's own, past a pooler: for what belongs to a session and not to a transaction.

LISTEN, settings of a session and functions of others need a connection that is theirs from one transaction to the next.
Where `DATABASE_URL` leads through a pooler, `DATABASE_DIRECT_URL` leads to Postgres.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connections

# What the server tells of itself by each answer (PostgreSQL documentation, section 55.2.7).
READ_ONLY = (b"default_transaction_read_only", b"in_hot_standby")


def direct_settings(database: dict[str, Any]) -> dict[str, Any]:
    """Return Django's settings of a database with the address of Postgres itself; the options are a copy."""
    direct: dict[str, Any] = database | database.get("DIRECT", {})
    return direct | {"OPTIONS": dict(direct["OPTIONS"])}


def connection_parameters(settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return psycopg's arguments for a session of one's own, outside any pool: past a pooler, or by such settings."""
    ours = connections["default"]
    settings = settings or direct_settings(ours.settings_dict)
    parameters: dict[str, Any] = type(ours)(ours.settings_dict | settings).get_connection_params()
    for name in ("context", "cursor_factory", "prepare_threshold", "pool"):
        parameters.pop(name, None)
    # It waits for minutes without a statement; nothing may end it for that.
    parameters["application_name"] = "portal-listen"
    return parameters


def is_read_only(raw: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
    """Say whether the server that a connection leads to has taken no writes since its last answer; asks nothing.

    After a fail-over that is the former primary. Behind a pooler nobody knows, and this is false.
    """
    return any(raw.pgconn.parameter_status(name) == b"on" for name in READ_ONLY)


def leave_former_primary(raw: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    """Refuse a connection to a server that takes no writes, where there are others: what happens, happens elsewhere.

    Raises:
        psycopg.OperationalError: connect anew, and be led to the primary.
    """
    if "," in str(direct_settings(connections["default"].settings_dict)["HOST"]) and is_read_only(raw):
        raise psycopg.OperationalError("The server takes no writes any more: another is the primary now.")
