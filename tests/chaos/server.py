"""A Postgres of the test's own, durable, that can be restarted, killed and cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.launch.embedded.account import server_account
from portal.launch.embedded.binaries import find_binaries
from portal.launch.embedded.cluster import SUPERUSER, Cluster
from portal.launch.embedded.folders import choose_home, far_home
from tests.chaos.proxy import Proxy
from tests.cluster.conftest import PROJECT

DATABASE = "portal_chaos"


class Server:
    """The embedded cluster `chaos`, with fsync, used by nobody else; `url` leads through the proxy."""

    def __init__(self, cluster: Cluster, proxy: Proxy) -> None:
        self._cluster = cluster
        self.proxy = proxy

    @property
    def url(self) -> str:
        return f"postgres://{SUPERUSER}@127.0.0.1:{self.proxy.port}/{DATABASE}"

    @property
    def direct_url(self) -> str:
        return self._cluster.url(DATABASE)

    def restart(self) -> None:
        """A fast shutdown, as an operator's restart or an upgrade of the package does, and a start."""
        self._cluster._stop()
        self._cluster.revive()

    def kill(self) -> None:
        """`kill -9` of the postmaster, as when memory runs out, and a start that recovers."""
        pid = self._cluster._recorded_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self._cluster.revive()

    def cut(self, seconds: float) -> None:
        """Break all connections and refuse new ones for a while."""
        self.proxy.refuse()
        time.sleep(seconds)
        self.proxy.serve()

    def stall(self, seconds: float) -> None:
        """Forward nothing for a while, as a network does that has lost its way; then break what was there."""
        self.proxy.hold()
        time.sleep(seconds)
        self.proxy.refuse()
        self.proxy.serve()


@contextmanager
def own_server(log: Path) -> Iterator[Server]:
    """Run a server of one's own; nothing is left of it."""
    account = server_account()
    cluster = Cluster(
        choose_home(PROJECT, account) / f"chaos-{os.getpid()}",
        binaries=find_binaries().within_reach_of(account, far_home(PROJECT)),
        account=account,
        log=log,
    )
    try:
        with cluster.held():
            cluster.create_database(DATABASE)
            proxy = Proxy(str(cluster.sockets / ".s.PGSQL.5432"))
            try:
                yield Server(cluster, proxy)
            finally:
                proxy.close()
    finally:
        for leftover in (cluster.folder, cluster.folder.with_name(f"{cluster.folder.name}.lock"),
                         cluster.folder.with_name(f"{cluster.folder.name}.users")):  # fmt: skip
            subprocess.run(["rm", "-rf", str(leftover)], check=True)
