"""Looks at the servers behind DATABASE_URL: who takes writes, who follows, and what a fail-over would lose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
from django.db import connection, connections

from tasks.direct import connection_parameters, direct_settings

# A standby that is further behind takes long to take over, or has stopped.
MOST_BYTES, MOST_SECONDS = 64_000_000, 30.0

AWAITED = (
    "synchronous_standby_names is set and no such standby is connected, so each submission waits for one: start it, or "
    "set synchronous_standby_names = '' to go on without (docs/fail-over.md)."
)
UNSEEN = "The role may not look at the standbys: GRANT pg_monitor TO it."
ASYNCHRONOUS = (
    "There is a standby, and synchronous_standby_names is empty: a fail-over can lose what was just answered "
    "(docs/fail-over.md)."
)


class Standby(NamedTuple):
    """One row of pg_stat_replication; None where the role may not see it, or where nothing is known yet."""

    name: str
    state: str | None
    sync_state: str | None
    bytes_behind: float | None
    seconds_behind: float | None


def faults_of_hosts() -> Iterator[str]:
    """Yield what is wrong with the hosts of DATABASE_URL, where there are several: each is asked for itself."""
    settings = direct_settings(connections["default"].settings_dict)
    hosts = str(settings["HOST"]).split(",")
    if len(hosts) == 1:
        return
    ports = str(settings["PORT"]).split(",")
    writable = []
    for number, host in enumerate(hosts):
        port = ports[number] if len(ports) == len(hosts) else ports[0]
        try:
            if _takes_writes(settings | {"HOST": host, "PORT": port}):
                writable.append(host)
        except psycopg.OperationalError as error:
            yield f"{host} of DATABASE_URL does not answer, so it could not take over: {' '.join(str(error).split())}"
    if len(writable) > 1:
        yield (
            f"{' and '.join(writable)} both take writes, and what is written to one is not in the other: stop the "
            "former primary now, and make it a standby (docs/fail-over.md)."
        )


def _takes_writes(settings: dict[str, Any]) -> bool:
    options = {name: value for name, value in settings["OPTIONS"].items() if name != "target_session_attrs"}
    with psycopg.connect(**connection_parameters(settings | {"OPTIONS": options}), autocommit=True) as raw:
        row = raw.execute("SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'")
        return row.fetchone() == (True,)


def standbys() -> tuple[str, list[Standby]]:
    """Return synchronous_standby_names, and who follows the primary."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('synchronous_standby_names'), application_name, state, sync_state,"
            "       CASE WHEN NOT pg_is_in_recovery()"
            "            THEN pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 END,"
            "       extract(epoch FROM replay_lag)::float8"
            "  FROM (SELECT 1) AS one LEFT JOIN pg_stat_replication ON true ORDER BY application_name"
        )
        rows = cursor.fetchall()
    return rows[0][0], [Standby(*row[1:]) for row in rows if row[1] is not None]


def faults_of_standbys(names: str, found: list[Standby]) -> Iterator[str]:
    """Yield what is wrong with those who follow; nothing where nobody does and nobody is awaited."""
    if any(standby.state is None for standby in found):
        yield UNSEEN
        return
    if names and not any(standby.sync_state in {"sync", "quorum"} for standby in found):
        yield AWAITED
    for standby in found:
        behind, seconds = standby.bytes_behind or 0.0, standby.seconds_behind or 0.0
        if behind > MOST_BYTES or seconds > MOST_SECONDS:
            yield (
                f"The standby {standby.name} is {behind / 1e6:.0f} MB and {seconds:.0f} s behind: look at its "
                "disk, its network and its log."
            )
