"""Webhook endpoints and deliveries as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from tasks import models
from tasks.api.objects.shape import Shape, write_time

ENDPOINTS = "/api/v1/webhook-endpoints"
DELIVERIES = "/api/v1/webhook-deliveries"

DeliveryStatus = Literal["pending", "succeeded", "failed"]


class EndpointUrls(Shape):
    """Addresses, as absolute paths."""

    self: str
    test: str
    rotate_secret: str
    deliveries: str


class WebhookEndpoint(Shape):
    """An address that your events are posted to."""

    id: UUID
    url: str | None = Field(description="null for the one whose secret signs what goes to URLs given with submissions")
    description: str
    events: list[str] = Field(description="those that it hears of")
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None = Field(description="since when every try has failed; null after a success")
    created_at: datetime
    urls: EndpointUrls


class WebhookEndpointWithSecret(WebhookEndpoint):
    """An endpoint with its secret, which is shown this once."""

    secret: str | None = Field(
        description="whsec_…; verify signatures with it; null where the key gave an earlier answer"
    )


class DeliveryTry(Shape):
    """One request to the receiver."""

    at: datetime
    seconds: float | None
    http_status: int | None = Field(description="null when there was no answer")
    error: str | None


class DeliveryUrls(Shape):
    """Addresses, as absolute paths."""

    self: str
    redeliver: str
    task: str | None


class WebhookDelivery(Shape):
    """One event on its way to one endpoint. Its id is the header `webhook-id`."""

    id: UUID
    endpoint: UUID
    url: str
    event: str
    task: UUID | None = Field(description="null for a test")
    status: DeliveryStatus
    tries: list[DeliveryTry] = Field(description="oldest first; the last 50")
    next_try_at: datetime | None
    error: str | None = Field(description="why it was given up")
    payload: dict[str, Any] = Field(description="what is posted")
    created_at: datetime
    finished_at: datetime | None
    urls: DeliveryUrls


def endpoint_object(endpoint: models.WebhookEndpoint) -> dict[str, Any]:
    """Return an endpoint as JSON, without its secret."""
    own = f"{ENDPOINTS}/{endpoint.pk}"
    shown: dict[str, Any] = {
        "id": str(endpoint.pk),
        "url": endpoint.url or None,
        "description": endpoint.description,
        "events": endpoint.events,
        "enabled": endpoint.disabled_at is None,
        "disabled_at": write_time(endpoint.disabled_at),
        "disabled_reason": endpoint.disabled_reason or None,
        "failing_since": write_time(endpoint.failing_since),
        "created_at": write_time(endpoint.created_at),
        "urls": {
            "self": own,
            "test": f"{own}/test",
            "rotate_secret": f"{own}/rotate-secret",
            "deliveries": f"{DELIVERIES}?endpoint={endpoint.pk}",
        },
    }
    return shown


def delivery_object(delivery: models.WebhookDelivery) -> dict[str, Any]:
    """Return a delivery as JSON."""
    own = f"{DELIVERIES}/{delivery.pk}"
    return {
        "id": str(delivery.pk),
        "endpoint": str(delivery.endpoint_id),
        "url": delivery.url,
        "event": delivery.event,
        "task": str(delivery.task_id) if delivery.task_id else None,
        "status": delivery.status,
        # The task that made a try is the system's: nothing that a user could look at.
        "tries": [{name: made[name] for name in ("at", "seconds", "http_status", "error")} for made in delivery.tries],
        "next_try_at": write_time(delivery.next_try_at),
        "error": delivery.error or None,
        "payload": delivery.payload,
        "created_at": write_time(delivery.created_at),
        "finished_at": write_time(delivery.finished_at),
        "urls": {
            "self": own,
            "redeliver": f"{own}/redeliver",
            "task": f"/api/v1/tasks/{delivery.task_id}" if delivery.task_id else None,
        },
    }
