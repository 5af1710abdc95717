"""Live events: NOTIFY out. Payloads name what changed; whoever listens reads it again.

Channels:
    portal_task    {"id", "owner", "version", "status", "kind"?}: a task changed or said something
    portal_ready   a cluster's name: its shared line has new ready tasks
    portal_cancel  {"node", "token"}: a running attempt was cancelled
    portal_token   an API token's id: it was revoked
    portal_queue   a cluster's name: a queue was paused or opened, a node drained
"""

from __future__ import annotations

TASK = "portal_task"
READY = "portal_ready"
CANCEL = "portal_cancel"
TOKEN = "portal_token"  # noqa: S105 - the name of a channel  # noqa: S105: the name of a channel
QUEUE = "portal_queue"
