"""Live events: NOTIFY out. Payloads name what changed; whoever listens reads it again.

Channels:
    portal_task    {"id", "owner", "version", "status"}, or a list of such: a task changed or said something
    portal_ready   a cluster's name: its line has new ready tasks, a queue was opened, a node resumed
    portal_cancel  {"node", "token"}: a running attempt was cancelled
    portal_stack   {"node", "id"}: an operator asks for the stack of a worker (a row of `worker_stack`)
    portal_token   an API token's id: it was revoked
"""

from __future__ import annotations

import json
from typing import Any

TASK = "portal_task"
READY = "portal_ready"
CANCEL = "portal_cancel"
STACK = "portal_stack"
TOKEN = "portal_token"  # noqa: S105 - the name of a channel


def messages_in(payload: str) -> list[dict[str, Any]]:
    """Return what a payload of TASK says: of one task, or of several that changed together.

    Raises:
        ValueError: it is no JSON.
    """
    said = json.loads(payload)
    return said if isinstance(said, list) else [said]
