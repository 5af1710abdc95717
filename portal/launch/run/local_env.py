"""The environment of a local start: what `make run` and `make test` set so that nothing has to be configured."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
STATE = PROJECT / ".portal"

# Nothing but tests on this machine ever signs with it.
TEST_SECRET_KEY = "portal-tests-only-portal-tests-only-portal-tests-only"  # noqa: S105


def run_environment(database_url: str) -> dict[str, str]:
    """Return what `make run` sets: demo users, diagnostics, plain HTTP on the loopback."""
    return _local(database_url) | {"SECRET_KEY": kept_secret("secret_key"), "MEDIA_ROOT": str(STATE / "files")}


def test_environment(database_url: str, media: str) -> dict[str, str]:
    """Return what the tests run with; `media` is a folder that is removed after them."""
    return _local(database_url) | {"SECRET_KEY": TEST_SECRET_KEY, "MEDIA_ROOT": media}


def kept_secret(name: str) -> str:
    """Return a random secret that stays the same between starts; it is made at the first."""
    path = STATE / name
    STATE.mkdir(mode=0o700, exist_ok=True)
    try:
        # Exclusive, so that of two that start at once one writes and the other reads.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if secret := path.read_text().strip():
            return secret
        path.unlink()
        return kept_secret(name)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text()


def _local(database_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "DEBUG": "0",
        "HTTPS": "0",
        "PORTAL_DEMO": "1",
        "PORTAL_DIAGNOSTICS": "1",
        "PYTHONUNBUFFERED": "1",
    }
