"""Two servers with streaming replication: the primary is killed, the standby promoted, and the dead one made anew."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from portal.launch.embedded.account import Account, server_account
from portal.launch.embedded.binaries import Binaries, find_binaries
from portal.launch.embedded.cluster import SUPERUSER
from portal.launch.embedded.data import make_data
from portal.launch.embedded.folders import choose_home, far_home, socket_folder
from portal.launch.embedded.settings import server_settings
from tests.cluster.conftest import PROJECT, wait_until

DATABASE = "portal_pair"
# Nobody else can go into the folder of the socket. `peer` would ask who the standby is, whose account has no name.
TRUST = "local all all trust\nlocal replication all trust\n"
STREAMS = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'"
HASTE = "wal_retrieve_retry_interval = 100ms\nmax_wal_size = 256MB\n"


class Member:
    """One of the two: a data folder, a socket, and the account that both run under."""

    def __init__(self, folder: Path, binaries: Binaries, account: Account) -> None:
        self.folder, self.data, self.sockets = folder, folder / "data", socket_folder(folder)
        self._binaries, self._account = binaries, account
        for place in (self.folder, self.sockets):
            account.own_folder(place)

    def make(self) -> None:
        make_data(self.data, self._binaries, self._account, superuser=SUPERUSER, durable=False, anew=True)
        self._configure("")

    def follow(self, primary: Member) -> None:
        """Become a standby of another, whatever was here, and start."""
        shutil.rmtree(self.data, ignore_errors=True)
        # A killed server's lock counts for as long as its process is listed, and nobody may be there to collect it.
        for leftover in self.sockets.glob(".s.PGSQL.*"):
            leftover.unlink()
        self._run(
            "pg_basebackup", "-h", str(primary.sockets), "-U", SUPERUSER, "-D", str(self.data), "-c", "fast", "-N"
        )
        self._configure(f"primary_conninfo = 'host={primary.sockets} user={SUPERUSER}'\n")
        (self.data / "standby.signal").touch()
        self.start()

    def start(self) -> None:
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.data), "-s", "-w", "-t", "120", "-l", log, "start")

    def kill(self) -> None:
        """`kill -9` of the postmaster; its backends notice, and end."""
        os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def promote(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-s", "-w", "-t", "120", "promote")

    def is_there(self) -> bool:
        try:
            return self.ask("SELECT true") is True
        except psycopg.OperationalError:
            return False

    def stop(self) -> None:
        if self.is_there():
            self._account.run([self._binaries.path("pg_ctl"), "-D", str(self.data), "-s", "-m", "immediate", "stop"])

    def set(self, name: str, value: str) -> None:
        """Change a setting of the running server."""
        self.ask(f"ALTER SYSTEM SET {name} = '{value}'")
        self.ask("SELECT pg_reload_conf()")
        wait_until(lambda: self.ask(f"SHOW {name}") == value, seconds=60, what=f"{name} = {value}")

    def ask(self, query: str) -> object:
        """Run a statement by itself; return the first value, if there is one."""
        with psycopg.connect(host=str(self.sockets), user=SUPERUSER, dbname="postgres", autocommit=True) as session:
            answer = session.execute(query)
            row = answer.fetchone() if answer.description else None
        return row[0] if row else None

    def _configure(self, own: str) -> None:
        texts = {
            "postgresql.conf": server_settings(self.sockets, durable=False) + HASTE,
            "pg_hba.conf": TRUST,
            "postgresql.auto.conf": own,
        }
        for name, text in texts.items():
            path = self.data / name
            path.write_text(text)
            path.chmod(0o600)
            os.chown(path, self._account.uid, self._account.gid)

    def _run(self, program: str, *words: str) -> None:
        # Into a file, never a pipe, which the server would inherit.
        with (self.folder / "run").open("w+") as output:
            code = self._account.run([self._binaries.path(program), *words], output=output).returncode
            output.seek(0)
            assert code == 0, output.read()


class Pair:
    """`url` has both servers; which of them takes writes is found out by whoever connects."""

    def __init__(self, one: Member, other: Member) -> None:
        self.primary, self.standby = one, other
        hosts = quote(f"{one.sockets},{other.sockets}", safe="/,")
        self.url = f"postgres://{SUPERUSER}@/{DATABASE}?host={hosts}"
        one.make()
        one.start()
        one.ask(f"CREATE DATABASE {DATABASE}")
        self.join()

    def join(self) -> None:
        """Make the other server a standby of the primary, which waits for it with each commit that is synchronous.

        Nothing where it is one.
        """
        if self.standby.is_there() and self.primary.ask(STREAMS):
            return
        self.standby.stop()
        self.standby.follow(self.primary)
        self.primary.set("synchronous_standby_names", "*")
        wait_until(lambda: self.primary.ask(STREAMS), seconds=60, what="a synchronous standby")

    def part(self) -> None:
        """Cut the standby off: what the primary commits from now on never gets there, and it does not wait."""
        self.primary.set("synchronous_standby_names", "")
        self.standby.set("primary_conninfo", "")
        nobody = "SELECT count(*) = 0 FROM pg_stat_replication"
        wait_until(lambda: self.primary.ask(nobody), seconds=60, what="no replication")

    def fail_over(self) -> None:
        """Kill the primary, promote the standby, and change their roles."""
        self.primary.kill()
        self.switch()

    def switch(self) -> None:
        """Promote the standby, and change the roles of the two."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary


@contextmanager
def own_pair() -> Iterator[Pair]:
    """Run two servers of one's own; nothing is left of them."""
    account = server_account()
    home = choose_home(PROJECT, account)
    binaries = find_binaries().within_reach_of(account, far_home(PROJECT))
    members = [Member(home / f"{name}-{os.getpid()}", binaries, account) for name in ("one", "other")]
    try:
        yield Pair(*members)
    finally:
        for member in members:
            member.stop()
            for place in (member.folder, member.sockets):
                shutil.rmtree(place, ignore_errors=True)
