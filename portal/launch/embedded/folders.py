"""Where a cluster lives: inside the checkout's `.portal/`, unless the server's account cannot get there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from portal.launch.embedded.account import Account
from portal.launch.embedded.private import keep_private

# The kernel's limit for a socket's path is 104 bytes on macOS and 108 on Linux, with its end mark.
LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.5432")


def checkout_key(project: Path) -> str:
    """Return a short name for this user's use of this checkout."""
    return f"{os.getuid()}-{hashlib.sha256(os.fsencode(project)).hexdigest()[:12]}"


def far_home(project: Path) -> Path:
    """Return the place outside the checkout, for root's checkouts that `nobody` cannot go into."""
    # Not /tmp or /var/tmp: those are swept on many systems, and this is data.
    return Path("/var/lib/portal") / checkout_key(project)


def choose_home(project: Path, account: Account) -> Path:
    """Return the folder that holds this user's clusters of this checkout, and make it."""
    near = project / ".portal" / f"postgres-{os.getuid()}"
    far = far_home(project)
    keep_private(project / ".portal")
    # What was chosen once stays, whatever happened to the checkout's permissions since: there is data in it.
    if account.lent and (far.exists() or not _reachable(account, near)):
        account.open_folder(far)
        return far
    account.open_folder(near)
    return near


def socket_folder(cluster: Path) -> Path:
    """Return where a cluster's socket goes: beside its data, or a short path when that one is too long."""
    folder = cluster / "socket"
    if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER:
        return folder
    return Path("/tmp") / f"portal-{checkout_key(cluster)}"  # noqa: S108 - the owner is checked, the mode is 0700


def _reachable(account: Account, folder: Path) -> bool:
    account.open_folder(folder)
    return account.reaches(folder)
