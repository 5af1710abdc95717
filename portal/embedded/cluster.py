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

from portal.embedded.account import Account
from portal.embedded.binaries import Binaries
from portal.embedded.errors import EmbeddedError
from portal.embedded.places import socket_folder
from portal.embedded.settings import server_settings

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
        answer = self._account.run([*psql, "-h", str(self.sockets), "-U", SUPERUSER, "-d", database, "-c", statement])
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

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Let one process at a time start or stop the server."""
        path = self.folder.with_name(f"{self.folder.name}.lock")
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _users_file(self) -> IO[str]:
        """Open the file on which every process that uses the server holds a shared lock."""
        return self.folder.with_name(f"{self.folder.name}.users").open("w")

    def _stop_if_last(self, users: IO[str]) -> None:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._stop()

    def _ensure_running(self) -> None:
        self._account.own_folder(self.folder)
        self._account.own_folder(self.sockets)
        self._make_data()
        if self._answers():
            return
        self._clear_leftovers()
        self._write_settings()
        self._launch()
        if self._throw_away:
            self._drop_abandoned()

    def _make_data(self) -> None:
        version = self.data / "PG_VERSION"
        if version.exists() and int(version.read_text()) != self._binaries.major:
            if not self._throw_away:
                raise EmbeddedError(
                    f"The data in {self.data} was made by Postgres {version.read_text().strip()}, and here is "
                    f"Postgres {self._binaries.major}: dump it with the old one, or move that folder away."
                )
            shutil.rmtree(self.data)
        if version.exists():
            return
        # Under another name first: an interrupted initdb leaves half a cluster that nothing can start.
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        locale = ["--locale=C"]
        if self._binaries.major >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = ["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", *locale, *([] if self._durable else ["--no-sync"])]
        answer = self._account.run([self._binaries.path("initdb"), "-D", str(unfinished), *options])
        if answer.returncode != 0:
            raise EmbeddedError(f"initdb failed: {answer.stdout.strip()[-800:]}")
        unfinished.rename(self.data)

    def _answers(self) -> bool:
        """Say whether the server takes connections, waiting while it is still starting."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            ready = [self._binaries.path("pg_isready"), "-q", "-h", str(self.sockets), "-t", "5"]
            answer = self._account.run(ready).returncode
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

    def _write_settings(self) -> None:
        path = self.data / "postgresql.conf"
        path.write_text(server_settings(self.sockets, durable=self._durable))
        path.chmod(0o644)

    def _launch(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
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
            self._account.run([self._binaries.path("pg_ctl"), *stop])

    def _drop_abandoned(self) -> None:
        """Drop the databases of test runs that were killed; nobody else uses a server that was just started."""
        names = self.run_sql("SELECT datname FROM pg_database WHERE datname LIKE '%portal\\_%'")
        for name in names.split():
            self.drop_database(name)
