"""Live events: NOTIFY out. Payloads name what changed; whoever listens reads it again.

Channels:
    portal_task    {"id", "owner", "version", "status"}: a task changed or said something
    portal_ready   a cluster's name: its line has new ready tasks, a queue was opened, a node resumed
    portal_cancel  {"node", "token"}: a running attempt was cancelled
    portal_token   an API token's id: it was revoked
"""

from __future__ import annotations

TASK = "portal_task"
READY = "portal_ready"
CANCEL = "portal_cancel"
TOKEN = "portal_token"  # noqa: S105 - the name of a channel
