"""A real PgBouncer with the file that deploy/ has, before a server whose socket is in a folder."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from portal.launch import pgbouncer
from portal.launch.embedded.account import server_account
from portal.launch.run.ports import free_port
from tests.chaos.proxy import Proxy
from tests.web.live import PROJECT

START_SECONDS = 60


@contextmanager
def running_pgbouncer(sockets: Path, *, user: str) -> Iterator[int]:
    """Give the port at which PgBouncer listens; the entry for nodes of deploy/'s two serves every database.

    The server knows its clients by the kernel: a forwarder of this process is what PgBouncer connects to.
    """
    with TemporaryDirectory(prefix="pgbouncer-") as made:
        folder = Path(made)
        # PgBouncer refuses to run as root, and its account cannot look into root's folders.
        folder.chmod(0o755)
        with _running(sockets, user, folder) as port:
            yield port


@contextmanager
def _running(sockets: Path, user: str, folder: Path) -> Iterator[int]:
    forwarder = Proxy(str(sockets / ".s.PGSQL.5432"))
    port = free_port()
    file = folder / "pgbouncer.ini"
    file.write_text(_configuration(port, server=forwarder.port, user=user))
    account = server_account()
    log = folder / "pgbouncer.log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            [pgbouncer.ensure(), str(file)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=account.uid if account.lent else None,
            group=account.gid if account.lent else None,
            extra_groups=[] if account.lent else None,
        )
    try:
        _wait_until_it_answers(port, user, running, log)
        yield port
    finally:
        running.terminate()
        running.wait(20)
        forwarder.close()


def _configuration(port: int, *, server: int, user: str) -> str:
    text = (PROJECT / "deploy" / "pgbouncer.ini").read_text()
    for there, here in {
        "host=db.example.com port=5432": f"host=127.0.0.1 port={server} user={user}",
        "portal_nodes = ": "* = ",
        "dbname=portal connect_query='SET jit = off; SET idle_in": "connect_query='SET jit = off; SET idle_in",
        "listen_port = 6432": f"listen_port = {port}\nunix_socket_dir =",
        "auth_type = scram-sha-256": "auth_type = any",
        "auth_file = /etc/pgbouncer/userlist.txt\n": "",
        # Few, so that who comes next is served by another's.
        "default_pool_size = 20": "default_pool_size = 8",
    }.items():
        assert there in text
        text = text.replace(there, here)
    return text


def _wait_until_it_answers(port: int, user: str, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user=user, dbname="postgres").close()
        except psycopg.OperationalError:
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
