"""The account that the server runs under: Postgres refuses to run as root, so root lends it to `nobody`."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from portal.embedded.errors import EmbeddedError


@dataclass(frozen=True)
class Account:
    """Runs programs as one user. `lent` says that it is not the user of this process."""

    uid: int
    gid: int
    lent: bool

    def run(self, arguments: list[str], *, output: IO[str] | int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, with its errors among its output."""
        # A working folder and PG* settings of the caller must not reach the server.
        surroundings = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        return subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            # The terminal's Ctrl-C is for us; half an initdb helps nobody.
            start_new_session=True,
            env=surroundings | {"LC_ALL": "C"},
            user=self.uid if self.lent else None,
            group=self.gid if self.lent else None,
            extra_groups=[] if self.lent else None,
        )

    def can_run(self, program: str) -> bool:
        """Say whether a program that knows `--version` runs here under the account."""
        try:
            return self.run([program, "--version"]).returncode == 0
        except OSError:
            return False

    def reaches(self, folder: Path) -> bool:
        """Say whether the account can go into a folder."""
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0

    def open_folder(self, folder: Path) -> None:
        """Make a folder that this account can go through, whatever the umask."""
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir(exist_ok=True)
            missing.chmod(0o755)

    def own_folder(self, folder: Path) -> None:
        """Make a folder that only this account (and root) can look into.

        Raises:
            EmbeddedError: something else is there, or it belongs to someone else.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid not in {os.getuid(), self.uid}:
            raise EmbeddedError(f"{folder} belongs to someone else: remove it, or run as its owner.")
        folder.chmod(0o700)
        if self.lent:
            os.chown(folder, self.uid, self.gid)


def server_account() -> Account:
    """Return this process's own account, or `nobody` for root.

    Raises:
        EmbeddedError: root, and there is no `nobody`.
    """
    if os.getuid() != 0:
        return Account(os.getuid(), os.getgid(), lent=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "Postgres refuses to run as root and there is no user nobody here: run as an ordinary user, "
            "or set DATABASE_URL to a Postgres of your own."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid, lent=True)
