"""A Postgres of the test's own, durable, that can be restarted, killed and cut off."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from portal.embedded.account import server_account
from portal.embedded.binaries import find_binaries
from portal.embedded.cluster import SUPERUSER, Cluster
from portal.embedded.places import choose_home, far_home
from tests.cluster.conftest import PROJECT

DATABASE = "portal_chaos"
CHUNK = 65_536


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


class Proxy:
    """Forwards a TCP port of the loopback to the server's socket, while it is told to."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._open = True
        self._holding = False
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def hold(self) -> None:
        self._holding = True

    def refuse(self) -> None:
        """Break all connections; whoever comes is sent away until `serve`."""
        with self._lock:
            self._open = False
            for key in list(self._selector.get_map().values()):
                if key.data is not None:
                    self._drop(key.fileobj)  # type: ignore[arg-type]
        self._holding = False

    def serve(self) -> None:
        self._open = True

    def close(self) -> None:
        self._closed = True
        self._thread.join(10)
        self.refuse()
        self._listener.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._closed:
            if self._holding:
                time.sleep(0.02)
                continue
            events = self._selector.select(0.1)
            with self._lock:
                for key, _ in events:
                    self._accept() if key.data is None else self._forward(key)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if not self._open:
            client.close()
            return
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._target)
        except OSError:
            client.close()
            server.close()
            return
        self._selector.register(client, selectors.EVENT_READ, server)
        self._selector.register(server, selectors.EVENT_READ, client)

    def _forward(self, key: selectors.SelectorKey) -> None:
        source: socket.socket = key.fileobj  # type: ignore[assignment]
        if source.fileno() == -1:
            return  # its other half ended in this very round
        try:
            data = source.recv(CHUNK)
            if data:
                key.data.sendall(data)
        except OSError:
            data = b""
        if not data:
            self._drop(source)

    def _drop(self, end: socket.socket) -> None:
        other = None
        with suppress(KeyError, ValueError):
            other = self._selector.unregister(end).data
        end.close()
        if other is not None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(other)
            other.close()


def is_up(url: str) -> bool:
    """Return whether the server takes connections."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
