"""webhook.deliver: one try to post an event to a webhook. `tasks.webhooks.delivery` submits and records it."""

from __future__ import annotations

import time
from typing import Any

from pydantic import Field

from tasks import tracing
from tasks.context import Context
from tasks.errors import FetchFailed, GiveUp, UrlRefused
from tasks.registry import EngineInfo, Input, Result, task_type
from tasks.secrets import CannotOpen

TIMEOUT_SECONDS = 15.0


class DeliverInput(Input):
    url: str = Field(title="Address")
    message_id: str = Field(title="webhook-id", description="The same at every try.")
    body: str = Field(title="Body")
    secrets: list[str] = Field(title="Secrets", description="Sealed; each signs.", min_length=1, max_length=2)


class DeliverResult(Result):
    """A try that failed is a result as well: when to try again is not for this task to say."""

    http_status: int | None = Field(description="of the answer; null when there was none")
    seconds: float
    error: str | None = Field(description="why there was no answer, or none that counts")
    retry_after_seconds: float | None = Field(description="as the receiver asked")


EXAMPLE: dict[str, Any] = {
    "url": "https://example.com/hook",
    "message_id": "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c002",
    "body": "{}",
    "secrets": ["…"],
}


@task_type(
    name="webhook.deliver",
    reusable=False,
    title="Deliver a webhook",
    description="Posts one event to one address, signed.",
    queue="system",
    input=DeliverInput,
    result=DeliverResult,
    example=EXAMPLE,
    timeout=60,
    est_seconds=0.5,
    waits=True,
    internal=True,
)
def deliver(ctx: Context, data: DeliverInput) -> DeliverResult:
    """Post the body. Whatever the receiver does is the result; only what is our own fault fails the task."""
    from tasks.outbound import fetch
    from tasks.webhook_secrets import signed_headers

    try:
        headers = signed_headers(data.secrets, message_id=data.message_id, body=data.body)
    except CannotOpen as error:
        raise GiveUp(str(error)) from error
    began = time.monotonic()
    status, retry_after, failure = None, None, None
    try:
        answer = fetch.request(
            "POST",
            data.url,
            headers={**headers, "Content-Type": "application/json", **tracing.headers()},
            body=data.body.encode(),
            timeout_seconds=TIMEOUT_SECONDS,
            max_bytes=0,
            # The status is the whole answer; a body may be endless.
            read_body=False,
        )
        status, retry_after = answer.status, answer.retry_after_seconds
        failure = None if 200 <= status < 300 else _words(status)
    except (UrlRefused, FetchFailed) as error:
        failure = error.message
    return DeliverResult(
        http_status=status,
        seconds=round(time.monotonic() - began, 3),
        error=failure,
        retry_after_seconds=retry_after,
        engine=EngineInfo(name="portal", version="1"),
    )


def _words(status: int) -> str:
    if 300 <= status < 400:
        return f"The receiver redirects (HTTP status {status}); redirects are not followed. Change the URL."
    return f"The receiver answered with HTTP status {status}."
