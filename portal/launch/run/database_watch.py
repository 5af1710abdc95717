"""Holds the embedded Postgres for `make run` and starts it again when it dies."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from portal.launch.embedded import Cluster, EmbeddedError, find_cluster
from portal.launch.run.child_log import ChildLog

LOOK_SECONDS = 1.0
# A server that is being restarted on purpose is gone for a moment.
LOOKS_IN_VAIN = 3


class DatabaseWatch:
    """The database of one run: `DATABASE_URL`, which is left alone, or the embedded cluster."""

    def __init__(self, log: ChildLog) -> None:
        self._log = log
        self._cluster: Cluster | None = None
        self._in_vain = 0
        self._look_again_at = 0.0

    @contextlib.contextmanager
    def held(self) -> Iterator[str]:
        """Give the database's URL; the embedded server runs as long as the block, or as long as others need it.

        Raises:
            EmbeddedError: it cannot be used here.
        """
        if url := os.environ.get("DATABASE_URL"):
            yield url
            return
        self._log.write("starting Postgres")
        cluster = find_cluster("run")
        with cluster.held():
            cluster.create_database("portal")
            self._cluster = cluster
            yield cluster.url("portal")
            self._log.write("stopping Postgres")

    def look(self) -> None:
        """Start the embedded server again if it is gone; called often, cheap."""
        now = time.monotonic()
        if self._cluster is None or now < self._look_again_at:
            return
        self._look_again_at = now + LOOK_SECONDS
        self._in_vain = 0 if self._cluster.is_alive() else self._in_vain + 1
        if self._in_vain < LOOKS_IN_VAIN:
            return
        self._in_vain = 0
        self._log.write("Postgres is gone; starting it again")
        try:
            self._cluster.revive()
        except EmbeddedError as error:
            self._log.write(str(error))
