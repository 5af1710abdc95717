"""Checks the weights of a model against the sum they were tried with, before they are loaded."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from tasks.errors import EngineError


def check_weights(path: Path, expected: str) -> str:
    """Return the SHA-256 of a file of weights, in hex.

    Raises:
        EngineError: the file is missing, or is not the one expected.
    """
    found = file_sha256(path)
    if found != expected:
        raise EngineError(f"The weights {path.name} are not the ones this version was made for; install them again.")
    return found


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex; computed once per process for as long as the file stays as it is.

    Raises:
        EngineError: it cannot be read.
    """
    try:
        state = path.stat()
        return _sha256(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise EngineError(f"The weights {path.name} cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=32)
def _sha256(path: Path, size: int, changed_at: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
