"""The account that the server runs under: Postgres refuses to run as root, so root gives it a number of its own.

Not `nobody`: whatever else runs under that could read the data, signal the server and rewrite who may sign in.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from portal.launch.embedded.errors import EmbeddedError

PROJECT = Path(__file__).resolve().parents[3]
# Systemd's table of user numbers calls these unused, no distribution gives them out, and user namespaces have them.
SPARE_NUMBERS = range(60706, 61184)


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
        """Make a folder that this account can go through, whatever the umask, and nobody but its owner can list."""
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir(exist_ok=True)
            missing.chmod(0o711 if self.lent else 0o700)

    def with_name(self) -> Account:
        """Return an account that the system knows by name, which `initdb` insists on: `nobody` for a lent one."""
        if not self.lent:
            return self
        nobody = pwd.getpwnam("nobody")
        return Account(nobody.pw_uid, nobody.pw_gid, lent=True)

    def take_over(self, folder: Path) -> None:
        """Make a folder and what is in it this account's, where it is `nobody`'s or a spare number's until now.

        Raises:
            EmbeddedError: it belongs to someone else.
        """
        former = folder.lstat().st_uid
        if former not in {self.with_name().uid, *SPARE_NUMBERS} or folder.is_symlink():
            raise EmbeddedError(f"{folder} belongs to someone else: remove it, or run as its owner.")
        # From the top, so that the former owner is shut out first; never through a link, and nothing of others.
        os.chown(folder, self.uid, self.gid, follow_symlinks=False)
        folder.chmod(0o700)
        for _, folders, names, place in os.fwalk(folder, follow_symlinks=False):
            for name in folders + names:
                if os.stat(name, dir_fd=place, follow_symlinks=False).st_uid == former:
                    os.chown(name, self.uid, self.gid, dir_fd=place, follow_symlinks=False)

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


def process_account() -> Account:
    """Return the account of this process: it is what the server knows its clients by."""
    return Account(os.getuid(), os.getgid(), lent=False)


def server_account(project: Path = PROJECT) -> Account:
    """Return this process's own account, or for root a spare number, which stays the same for a checkout.

    Raises:
        EmbeddedError: root, and there is no `nobody`, whose name is needed once.
    """
    if os.getuid() != 0:
        return process_account()
    try:
        pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "Postgres refuses to run as root and there is no user nobody here: run as an ordinary user, "
            "or set DATABASE_URL to a Postgres of your own."
        ) from None
    number = _spare_number(project)
    return Account(number, number, lent=True)


def _spare_number(project: Path) -> int:
    first = int(hashlib.sha256(os.fsencode(project)).hexdigest()[:8], 16)
    for step in range(len(SPARE_NUMBERS)):
        number = SPARE_NUMBERS[(first + step) % len(SPARE_NUMBERS)]
        try:
            pwd.getpwuid(number)
        except KeyError:
            return number
    raise EmbeddedError("Every user number for an embedded Postgres has a name here: set DATABASE_URL to your own.")
