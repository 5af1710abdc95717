"""One Postgres cluster that several processes share: the first starts it, the last one stops it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

from portal.launch.embedded.account import Account, process_account
from portal.launch.embedded.binaries import Binaries
from portal.launch.embedded.data import make_data, write_configuration
from portal.launch.embedded.errors import EmbeddedError
from portal.launch.embedded.folders import socket_folder

SUPERUSER = "portal"
START_SECONDS = 120
STOP_SECONDS = 30
LOG_BYTES = 5_000_000


class Cluster:
    """A data folder with its socket, lock and log.

    `durable` off is for tests: a crash of the machine may then cost the data. `throw_away` makes the
    cluster anew when its data was made by another major version, instead of refusing to start.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binaries: Binaries,
        account: Account,
        log: Path,
        durable: bool = True,
        throw_away: bool = False,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.sockets = socket_folder(folder)
        self.log = log
        self._binaries = binaries
        self._account = account
        self._durable = durable
        self._throw_away = throw_away

    def url(self, database: str) -> str:
        """Return the URL of a database in this cluster, in the form that `portal.env.database` reads."""
        return f"postgres://{SUPERUSER}@/{database}?host={quote(str(self.sockets), safe='/')}"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep the server running for as long as the block runs, and stop it after the last such block.

        The lock is the process's: one that is killed lets go by dying.

        Raises:
            EmbeddedError: the server does not start.
        """
        holder = os.getpid()
        with self._users_file() as users:
            try:
                with self._changing():
                    self._take_over(users)
                    fcntl.flock(users, fcntl.LOCK_SH)
                    self._ensure_running()
                yield
            finally:
                # A forked child shares the lock and must not give it back.
                if os.getpid() == holder:
                    with self._changing():
                        self._stop_if_last(users)

    def revive(self) -> None:
        """Start the server again if it died; for whoever holds it."""
        with self._changing():
            self._ensure_running()

    def stop_unused(self) -> None:
        """Stop the server if it was left running by a process that was killed."""
        if not self.data.exists():
            return
        with self._users_file() as users, self._changing():
            self._stop_if_last(users)

    def is_alive(self) -> bool:
        """Say whether the server's main process is there; cheap."""
        pid = self._recorded_pid()
        return pid is not None and self._is_our_server(pid)

    def run_sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as superuser and return its rows as lines.

        Raises:
            EmbeddedError: with what the server said.
        """
        psql = [self._binaries.path("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]
        answer = process_account().run(
            [*psql, "-h", str(self.sockets), "-U", SUPERUSER, "-d", database, "-c", statement]
        )
        if answer.returncode != 0:
            raise EmbeddedError(f"Postgres refused {statement!r}: {answer.stdout.strip()}")
        return answer.stdout.strip()

    def create_database(self, name: str) -> None:
        """Make a database unless it is there."""
        with self._changing():
            if not self.run_sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608 - our own name
                self.run_sql(f'CREATE DATABASE "{name}"')

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        self.run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def drop_test_databases(self, name: str) -> None:
        """Remove what a test run that was killed left beside its database: its own, and one for each of its workers."""
        left = self.run_sql(f"SELECT datname FROM pg_database WHERE datname ~ '^test_{name}(_|$)'")  # noqa: S608
        for database in left.split():
            self.drop_database(database)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Let one process at a time start or stop the server."""
        with _lock_file(self.folder.with_name(f"{self.folder.name}.lock")) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _users_file(self) -> IO[str]:
        """Open the file on which every process that uses the server holds a shared lock."""
        return _lock_file(self.folder.with_name(f"{self.folder.name}.users"))

    def _stop_if_last(self, users: IO[str]) -> None:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._stop()

    def _ensure_running(self) -> None:
        self._account.own_folder(self.folder)
        self._account.own_folder(self.sockets)
        make_data(
            self.data, self._binaries, self._account, superuser=SUPERUSER, durable=self._durable, anew=self._throw_away
        )
        if self._answers():
            return
        self._clear_leftovers()
        write_configuration(self.data, self.sockets, superuser=SUPERUSER, durable=self._durable)
        self._launch()
        if self._throw_away:
            self._drop_abandoned()

    def _take_over(self, users: IO[str]) -> None:
        """Take over a cluster that an earlier version made for root: any process of `nobody`'s was a superuser in it.

        Raises:
            EmbeddedError: that version is still at work, or its server does not stop.
        """
        if not self._account.lent or not self.data.exists() or self.data.stat().st_uid == self._account.uid:
            return
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedError(
                f"An earlier version of Portal still uses the Postgres in {self.data}: end it, and start again."
            ) from None
        self._stop()
        if self.is_alive():
            raise EmbeddedError(f"The Postgres in {self.data} does not stop: end it, and start again.")
        if self.sockets.parent != self.folder:
            shutil.rmtree(self.sockets, ignore_errors=True)
        self._account.take_over(self.folder)

    def _answers(self) -> bool:
        """Say whether the server takes connections, waiting while it is still starting."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            ready = [self._binaries.path("pg_isready"), "-q", "-h", str(self.sockets), "-U", SUPERUSER, "-t", "5"]
            answer = process_account().run(ready).returncode
            # 1 means that it is there and refuses: starting, recovering or stopping.
            if answer != 1 or time.monotonic() > deadline:
                return answer == 0
            time.sleep(0.1)

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _is_our_server(self, pid: int) -> bool:
        """Say whether a process is this cluster's server: after a reboot its number may be anyone's."""
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            if Path("/proc/self").exists():
                return False
            command = subprocess.run(
                ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
            ).stdout
        return "postgres" in command and str(self.data) in command

    def _clear_leftovers(self) -> None:
        """Remove what a killed server left, and a server that is there but cannot be reached."""
        pid = self._recorded_pid()
        if pid is not None and self._is_our_server(pid):
            self._stop()
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for leftover in self.sockets.glob(".s.PGSQL.*"):
            leftover.unlink(missing_ok=True)

    def _launch(self) -> None:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
        command = [self._binaries.path("pg_ctl"), "-D", str(self.data), "-s", "-w", "-t", str(START_SECONDS), "start"]
        deadline = time.monotonic() + STOP_SECONDS
        while True:
            start_of_news = self.log.stat().st_size if self.log.exists() else 0
            # Into a file, never a pipe: the server inherits it and outlives this process. pg_ctl gives the
            # server a session of its own, so that the terminal's Ctrl-C does not reach it.
            with self.log.open("a") as log:
                if self._account.run(command, output=log).returncode == 0:
                    return
            news = self.log.read_bytes()[start_of_news:].decode(errors="replace")
            # Backends of a killed server notice its death within moments and leave the shared memory.
            if "still in use" not in news or time.monotonic() > deadline:
                raise EmbeddedError(f"Postgres does not start; see {self.log}: {news.strip()[-800:]}")
            time.sleep(0.5)

    def _stop(self) -> None:
        for mode in ("fast", "immediate"):
            if not self.is_alive():
                return
            stop = ["-D", str(self.data), "-s", "-w", "-t", str(STOP_SECONDS), "-m", mode, "stop"]
            # Only its owner may stop it; an earlier version's has another one.
            owner = self.data.stat()
            account = Account(owner.st_uid, owner.st_gid, lent=True) if self._account.lent else self._account
            account.run([self._binaries.path("pg_ctl"), *stop])

    def _drop_abandoned(self) -> None:
        """Drop the databases of test runs that were killed; nobody else uses a server that was just started."""
        names = self.run_sql("SELECT datname FROM pg_database WHERE datname LIKE '%portal\\_%'")
        for name in names.split():
            self.drop_database(name)


def _lock_file(path: Path) -> IO[str]:
    """Open a file for locks. Whoever may read it may hold one for ever, so nobody else may."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "w")
