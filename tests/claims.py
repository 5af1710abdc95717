"""Claims one task, as a worker without threads would."""

from __future__ import annotations

from uuid import UUID

from tasks.lifecycle.claim import Claimed, claim_tasks


def claim_task(*, cluster: str, node: UUID, pid: int, token: UUID) -> Claimed | None:
    """Claim the first ready task under this token; None when there is none."""
    claimed = claim_tasks(cluster=cluster, node=node, pid=pid, tokens=[token])
    return claimed[0] if claimed else None
