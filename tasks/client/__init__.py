"""A small typed client of the REST API on httpx. Needs neither Django nor a database.

with Client("http://127.0.0.1:8000", token) as portal:
    file = portal.upload("invoice.pdf")
    task = portal.submit("pdf.extract", {"file": file["id"]})
    print(portal.wait(task["id"])["result"]["text"])

The same from a shell: ``python -m tasks.client submit pdf.extract file=@invoice.pdf --wait``.
"""

from tasks.client.portal import Client
from tasks.client.shapes import Batch, File, ItemResult, Task
from tasks.client.stream import Event
from tasks.client.webhooks import InvalidWebhook, verify_webhook
from tasks.client_errors import PortalError

__all__ = [
    "Batch",
    "Client",
    "Event",
    "File",
    "InvalidWebhook",
    "ItemResult",
    "PortalError",
    "Task",
    "verify_webhook",
]
