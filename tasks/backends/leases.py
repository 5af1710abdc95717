"""Takes a place on a server for a call and gives it back; what a call tells of its server is noted with that.

Short statements, each its own transaction: none is open while the server is waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID, uuid4

from tasks import sql
from tasks.errors import ServerFailed
from tasks.models import Backend

# That many failures in a row open a breaker, for so long at first and at most.
FAILURES_TO_OPEN = 3
COOL_DOWN_SECONDS = 15.0
LONGEST_COOL_DOWN_SECONDS = 120.0
# After an HTTP status 429 that does not say how long.
REST_SECONDS = 2.0
MOST_TRIES = 20
MAX_MESSAGE_CHARACTERS = 500
# These tell nothing bad of a server's health: it works, but not now, or not with this model.
HEALTHY = {"busy", "missing"}


@dataclass(frozen=True)
class Lease:
    """One call's place on a server. `sealed_key` is the key to use, empty where the row has none."""

    id: UUID
    server_id: int
    key_id: int | None = None
    sealed_key: str = field(default="", repr=False)


class Choice(NamedTuple):
    """A server with a free place; `taken` is false when another call was quicker. The key is None where it has none."""

    id: int
    key_id: int | None
    sealed: str | None
    taken: bool


def take_lease(servers: Sequence[int], *, task: UUID, token: UUID) -> Lease | None:
    """Choose among servers by their pool's strategy and take a place for an attempt; None: all are busy or rest.

    Leases of attempts that run no more are cleared away before it says so.

    Args:
        servers: ids of rows, in the order that counts with the sticky strategy.
    """
    return _try_to_take(servers, task, token) or (
        _try_to_take(servers, task, token) if sql.count("backends/end_leases", {}) else None
    )


def _try_to_take(servers: Sequence[int], task: UUID, token: UUID) -> Lease | None:
    for _ in range(MOST_TRIES):
        lease = uuid4()
        wanted = {"servers": list(servers), "lease": lease, "task": task, "token": token}
        row = sql.run_one("backends/lease_backend", wanted, row=Choice)
        if row is None:
            return None
        if row.taken:
            return Lease(lease, row.id, row.key_id, row.sealed or "")
        # Another call was quicker at this very place; now its lease can be seen.
    return None


def any_works(servers: Sequence[int]) -> bool:
    """Return whether one of these servers is in order, though it may have no place, or rest."""
    return Backend.objects.filter(pk__in=servers, enabled=True, open_until=None).exists()


def end_lease(lease: Lease, *, seconds: float, failure: ServerFailed | None = None, counts: bool = True) -> None:
    """Give the place back, and note how the call went.

    `counts` is false for a call that was cut from our side: it tells nothing of its server.
    """
    rest = REST_SECONDS if failure is None or failure.after is None else failure.after
    ended = {
        "lease": lease.id,
        "backend": lease.server_id,
        "key": lease.key_id,
        "seconds": seconds,
        "failure": failure.why if failure else "",
        "rest": rest,
        "counts": counts,
    }
    sql.execute("backends/end_call", ended)
    if not counts:
        return
    if failure is None or failure.why in HEALTHY:
        note_success(lease.server_id)
    else:
        note_failure(lease.server_id, failure.why, failure.message)


def note_success(server_id: int, *, checked: bool = False) -> None:
    """Close the server's breaker; a mere check closes only what a check could have opened."""
    sql.execute("backends/note_success", {"backend": server_id, "checked": checked})


def note_failure(server_id: int, why: str, message: str) -> None:
    """Count a failure of a server; the third in a row opens its breaker."""
    noted = {
        "backend": server_id,
        "why": why,
        "message": message[:MAX_MESSAGE_CHARACTERS],
        "failures_to_open": FAILURES_TO_OPEN,
        "cool_down": COOL_DOWN_SECONDS,
        "longest": LONGEST_COOL_DOWN_SECONDS,
    }
    sql.execute("backends/note_failure", noted)
