"""Keeps `.portal/` to its owner: uploads, logs, secrets and the database of a checkout. Standard library only."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# Root's Postgres runs under a number of its own and must come through to its folder; it may list nothing.
ROOTS_CLUSTERS = "postgres-0"
PRIVATE, PASSAGE, PRIVATE_FILE = 0o700, 0o711, 0o600


def keep_private(state: Path) -> None:
    """Make the folder, or tighten what an earlier version or a program with another umask left open in it."""
    state.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    if os.getuid() in {0, state.stat().st_uid}:
        state.chmod(PASSAGE if os.getuid() == 0 or (state / ROOTS_CLUSTERS).exists() else PRIVATE)
    for entry in state.iterdir():
        # A folder that nobody else can enter keeps what is in it, too.
        passage = entry.name == ROOTS_CLUSTERS
        _restrict(entry, (PASSAGE if passage else PRIVATE) if entry.is_dir() else PRIVATE_FILE)
    for log in (state / "logs").glob("*"):
        _restrict(log, PRIVATE_FILE)


def _restrict(path: Path, mode: int) -> None:
    # Temporary files may be gone before it is their turn.
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        if found.st_uid == os.getuid() and not path.is_symlink() and found.st_mode & 0o777 != mode:
            path.chmod(mode)
