"""A small typed client of the portal's REST API on httpx: blocking, awaited, and from a shell.

with Client("http://127.0.0.1:8000", token) as portal:
    file = portal.upload("invoice.pdf")
    task = portal.submit("pdf.extract", {"file": file["id"]})
    print(portal.wait(task["id"])["result"]["text"])

It imports nothing of the project, so that the same files are the package `portal_client` (docs/decisions/0036).
"""

from .errors import PortalError
from .portal import AsyncClient, Client
from .shapes import (
    Attempt,
    Batch,
    File,
    FileLink,
    ItemResult,
    Schedule,
    ScheduleRun,
    Task,
    TaskEvent,
    Token,
    WebhookDelivery,
    WebhookEndpoint,
)
from .stream import Event
from .webhook_signature import InvalidWebhook, verify_webhook

__all__ = [
    "AsyncClient",
    "Attempt",
    "Batch",
    "Client",
    "Event",
    "File",
    "FileLink",
    "InvalidWebhook",
    "ItemResult",
    "PortalError",
    "Schedule",
    "ScheduleRun",
    "Task",
    "TaskEvent",
    "Token",
    "WebhookDelivery",
    "WebhookEndpoint",
    "verify_webhook",
]
