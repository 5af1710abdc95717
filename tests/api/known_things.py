"""One of each thing that the API knows, made by the API, by the name of the parameter that takes its id."""

from __future__ import annotations

from typing import Any, Protocol

from django.db.models.functions import Now

from tasks.models import Task, TaskContent
from tasks.statuses import Status

ECHO = {"type": "diagnostic.echo", "input": {"message": "hello"}}
ENGINE = {"kind": "embedded", "name": "portal", "version": "1", "sha256": None, "note": None}
SCHEDULE = {"task": ECHO, "cron": "0 6 * * *"}
# A public address that no node here calls.
ENDPOINT = {"url": "https://93.184.216.34/hooks"}
TOKEN = {"name": "spare", "scopes": ["tasks:read"]}
# Parameters that name what everybody may see, or count what one thing has.
SHARED = {"name": "diagnostic.echo", "queue_name": "diagnostics", "table_number": "1"}

# A body that is accepted, by operation: generated ones rarely are.
BODIES: dict[str, Any] = {
    "submit_task": ECHO,
    "submit_batch": {"tasks": [ECHO, {"type": "nope"}]},
    "change_task": {"name": "renamed"},
    "copy_task": {"priority": 4},
    "make_token": TOKEN,
    "make_file_link": {"expires_in": 60},
    "create_schedule": SCHEDULE,
    "change_schedule": {"name": "renamed"},
    "create_webhook_endpoint": ENDPOINT,
    "change_webhook_endpoint": {"description": "renamed"},
    "rotate_webhook_secret": {"overlap_hours": 1},
}


class Post(Protocol):
    """Sends JSON, or the bytes of a file, and returns the answer, which is below 400."""

    def __call__(self, path: str, body: Any) -> dict[str, Any]: ...


def known_things(post: Post) -> dict[str, str]:
    """Make one of each. A new parameter of a route needs its line here."""
    batch = post("/api/v1/batches", {"tasks": [ECHO, {"type": "nope"}]})
    endpoint = post("/api/v1/webhook-endpoints", ENDPOINT)
    ended = post("/api/v1/tasks", ECHO | {"run_after": "2100-01-01T00:00:00Z"})["id"]
    # No worker is there to do it. It had no slot yet, so none is owed.
    Task.objects.filter(pk=ended).update(status=Status.SUCCEEDED, run_after=None, finished_at=Now())
    TaskContent.objects.filter(pk=ended).update(result={"text": "hello", "attempt": 1, "engine": ENGINE}, engine=ENGINE)
    return SHARED | {
        "task_id": batch["items"][0]["id"],
        "batch_id": batch["id"],
        "file_id": post("/api/v1/files?name=a.txt", b"alice's own")["id"],
        "token_id": post("/api/v1/tokens", TOKEN)["id"],
        "schedule_id": post("/api/v1/schedules", SCHEDULE)["id"],
        "endpoint_id": endpoint["id"],
        "share_id": post("/api/v1/shares", {"task": ended})["id"],
        "delivery_id": post(endpoint["urls"]["test"], {})["id"],
    }
