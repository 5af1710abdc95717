"""How each process connects: to Postgres itself, or through a pooler that gives each transaction another connection."""

from __future__ import annotations

from typing import Any

Settings = dict[str, Any]

# What a session sets for itself when it connects, past all that the role or the server say.
SESSION = " ".join(
    f"-c {setting}"
    for setting in (
        "jit=off",
        "idle_in_transaction_session_timeout=30s",
        "lock_timeout=20s",
        # As the server shows it: `tasks.pooler` compares.
        "statement_timeout=1min",
    )
)
# The hot statements need index plans whatever the statistics say: one hash join under a lane lock is a convoy.
INDEX_PLANS_ONLY = "".join(
    f" -c {setting}"
    for setting in (
        "enable_hashjoin=off",
        "enable_mergejoin=off",
        "enable_seqscan=off",
        "enable_bitmapscan=off",
        # Or with statistics from a moment with nothing ready or held, all that is would be sorted to find the first.
        "enable_sort=off",
        "plan_cache_mode=force_generic_plan",
    )
)
# A machine that vanished says nothing: the next of several is tried after so many seconds, a single one is waited for.
CONNECT_SECONDS, CONNECT_SECONDS_OF_SEVERAL = 10, 3
# Processes that hold connections for as long as they live.
LASTING = {"web", "qcluster"}


def database_settings(address: Settings, direct: Settings | None, *, process: str) -> Settings:
    """Return Django's settings of the database for a process.

    Args:
        address: of `DATABASE_URL`, as `env.database` gives it.
        direct: of `DATABASE_DIRECT_URL`, where the other leads through a pooler. Whatever the process uses, it finds
            both, for what belongs to a session and to look them over, under ``DIRECT`` and ``POOLED``.
        process: what kind of process this is, `PORTAL_PROCESS`.
    """
    if direct is None:
        return _to_postgres(address, process)
    both = {
        # Without a number psycopg prepares nothing, and whatever a session sets would be another's a moment later.
        "POOLED": _with(address, _patience(address, process) | {"prepare_threshold": None}),
        "DIRECT": _to_postgres(direct, process),
    }
    # A command looks at things, migrates, and ends: it has nothing to share.
    return (both["POOLED"] if process in LASTING else both["DIRECT"]) | both


def _to_postgres(address: Settings, process: str) -> Settings:
    ours = {
        # Prepares what asks for it (the hot statements of tasks.sql) and nothing else. Without a number psycopg
        # prepares nothing at all, whatever is asked, and each execution plans anew.
        "prepare_threshold": 1_000_000_000,
        "options": SESSION + (INDEX_PLANS_ONLY if process == "qcluster" else ""),
    }
    return _with(address, _patience(address, process) | ours)


def _patience(address: Settings, process: str) -> Settings:
    return {
        "application_name": f"portal-{process}",
        # A peer that vanished is noticed within about half a minute, whoever is waiting on it.
        "connect_timeout": CONNECT_SECONDS_OF_SEVERAL if "," in address["HOST"] else CONNECT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }


def _with(address: Settings, options: Settings) -> Settings:
    return address | {"OPTIONS": address["OPTIONS"] | options}
