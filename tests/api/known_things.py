"""One of each thing that the API knows, made by the API, by the name of the parameter that takes its id."""

from __future__ import annotations

from typing import Any, Protocol

ECHO = {"type": "diagnostic.echo", "input": {"message": "hello"}}
SCHEDULE = {"task": ECHO, "cron": "0 6 * * *"}
# A public address that no node here calls.
ENDPOINT = {"url": "https://93.184.216.34/hooks"}
TOKEN = {"name": "spare", "scopes": ["tasks:read"]}
# Parameters that name what everybody may see.
SHARED = {"name": "diagnostic.echo", "queue_name": "diagnostics"}

# A body that is accepted, by operation: generated ones rarely are.
BODIES: dict[str, Any] = {
    "submit_task": ECHO,
    "submit_batch": {"tasks": [ECHO, {"type": "nope"}]},
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
    return SHARED | {
        "task_id": batch["items"][0]["id"],
        "batch_id": batch["id"],
        "file_id": post("/api/v1/files?name=a.txt", b"alice's own")["id"],
        "token_id": post("/api/v1/tokens", TOKEN)["id"],
        "schedule_id": post("/api/v1/schedules", SCHEDULE)["id"],
        "endpoint_id": endpoint["id"],
        "delivery_id": post(endpoint["urls"]["test"], {})["id"],
    }
