"""Waits until somebody waits: for tests of what happens to two who want the same row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from tasks import sql

WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def wait_for_waiters(count: int = 1, *, seconds: float = 120.0) -> None:
    """Return when so many connections of this database wait for a lock."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            # Within a transaction the view shows what it showed first.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(WAITERS)
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.005)
    raise AssertionError(f"fewer than {count} waited for a lock")


@contextmanager
def passing_over_lanes() -> Iterator[None]:
    """Somebody holds all lanes while a submission is stored, so that they are filled afterwards."""
    stored = sql.run_hardened

    def run(*args: Any, **kwargs: Any) -> Any:
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("BEGIN; SELECT FROM lane FOR NO KEY UPDATE")
                try:
                    return stored(*args, **kwargs)
                finally:
                    # Not left to the end of the connection, which the server notices some time later.
                    cursor.execute("ROLLBACK")
        finally:
            other.close()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sql, "run_hardened", run)
        yield
