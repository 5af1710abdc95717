"""Finds the pooler that some tests go through, or gets it: Debian's package.

Standard library only.
"""

from __future__ import annotations

import os
import shutil

from portal.launch import debian

# Debian has it where ordinary users do not look.
FOLDERS = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))


class PgbouncerError(Exception):
    """It is missing and cannot be installed; the message is one sentence with the mend."""


def find() -> str | None:
    return shutil.which("pgbouncer", path=FOLDERS)


def ensure() -> str:
    """Return the path of PgBouncer, which is installed where there is none.

    Raises:
        PgbouncerError: there is none, and it could not be installed.
    """
    if not find():
        debian.install(["pgbouncer"], wanted_for="the tests behind a pooler")
    if path := find():
        return path
    raise PgbouncerError(
        "The tests behind a pooler need PgBouncer: install the package pgbouncer (as root: apt-get install pgbouncer), "
        "or leave them out with `make test ARGS='-m \"not pooler\"'`."
    )
