"""The one way to get a database: `DATABASE_URL` when it is set, else a database in an embedded cluster."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from portal.launch.embedded.account import server_account
from portal.launch.embedded.binaries import find_binaries
from portal.launch.embedded.cluster import Cluster
from portal.launch.embedded.folders import choose_home, far_home

Purpose = Literal["run", "test", "bench"]
PROJECT = Path(__file__).resolve().parents[3]


def find_cluster(purpose: Purpose, *, durable: bool | None = None, project: Path = PROJECT) -> Cluster:
    """Return this checkout's cluster for a purpose; running and testing never share one.

    All but the test cluster are durable unless told otherwise.

    Raises:
        EmbeddedError: no Postgres here, or no account to run it under.
    """
    account = server_account(project)
    binaries = find_binaries().within_reach_of(account, far_home(project))
    return Cluster(
        choose_home(project, account) / purpose,
        binaries=binaries,
        account=account,
        log=project / ".portal" / "logs" / ("postgres.log" if purpose == "run" else f"postgres-{purpose}.log"),
        durable=purpose != "test" if durable is None else durable,
        throw_away=purpose != "run",
    )


@contextlib.contextmanager
def start(purpose: Purpose = "run", *, durable: bool | None = None) -> Iterator[str]:
    """Give the URL of a database for as long as the block runs.

    ``run`` is always the same database. ``test`` is one of the caller's own, dropped at the end, so
    that several test runs may share the server.

    Raises:
        EmbeddedError: the embedded Postgres cannot be used here.
    """
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    cluster = find_cluster(purpose, durable=durable)
    database = "portal" if purpose == "run" else f"portal_{os.getpid()}"
    with cluster.held():
        cluster.create_database(database)
        try:
            yield cluster.url(database)
        finally:
            if purpose != "run":
                cluster.drop_test_databases(database)
                cluster.drop_database(database)
