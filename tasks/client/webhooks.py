"""Webhooks: who hears of the end of tasks, and what became of each message."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TypedDict, Unpack

from .sending import Sender, given
from .shapes import WebhookDelivery, WebhookEndpoint
from .webhook_signature import verify_webhook
from .written_once import method, series


class EndpointChanges(TypedDict, total=False):
    """What is left out stays as it is; ``enabled=True`` brings back what was disabled."""

    url: str | None
    events: Sequence[str]
    description: str
    enabled: bool


class Webhooks:
    _sender: Sender

    verify_webhook = staticmethod(verify_webhook)

    @method
    async def create_endpoint(
        self,
        url: str | None,
        *,
        events: Sequence[str] | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> WebhookEndpoint:
        """Have the end of one's tasks told to `url`, or only some `events`; the answer has the secret, this once.

        The endpoint without a URL has the secret of the URLs that single tasks name.
        """
        body = {"url": url, **given(events=events, description=description)}
        made: WebhookEndpoint = await self._sender.make(
            "POST", "/api/v1/webhook-endpoints", key=idempotency_key, json=body
        )
        return made

    @series
    async def endpoints(self) -> AsyncGenerator[WebhookEndpoint]:
        """Yield one's endpoints, newest first."""
        async for endpoint in self._sender.pages("/api/v1/webhook-endpoints"):
            yield endpoint

    @method
    async def get_endpoint(self, endpoint_id: str) -> WebhookEndpoint:
        found: WebhookEndpoint = await self._sender.send_json("GET", f"/api/v1/webhook-endpoints/{endpoint_id}")
        return found

    @method
    async def change_endpoint(self, endpoint_id: str, **changes: Unpack[EndpointChanges]) -> WebhookEndpoint:
        """Change what is given."""
        changed: WebhookEndpoint = await self._sender.send_json(
            "PATCH", f"/api/v1/webhook-endpoints/{endpoint_id}", json=changes
        )
        return changed

    @method
    async def delete_endpoint(self, endpoint_id: str) -> None:
        await self._sender.send("DELETE", f"/api/v1/webhook-endpoints/{endpoint_id}")

    @method
    async def test_endpoint(self, endpoint_id: str, *, idempotency_key: str | None = None) -> WebhookDelivery:
        """Send `webhook.test` there."""
        delivery: WebhookDelivery = await self._sender.make(
            "POST", f"/api/v1/webhook-endpoints/{endpoint_id}/test", key=idempotency_key
        )
        return delivery

    @method
    async def rotate_secret(
        self, endpoint_id: str, *, overlap_hours: int | None = None, idempotency_key: str | None = None
    ) -> WebhookEndpoint:
        """Make another secret and return it, this once; for a day, or `overlap_hours`, the old one signs as well."""
        body = given(overlap_hours=overlap_hours)
        endpoint: WebhookEndpoint = await self._sender.make(
            "POST", f"/api/v1/webhook-endpoints/{endpoint_id}/rotate-secret", key=idempotency_key, json=body
        )
        return endpoint

    @series
    async def deliveries(
        self, *, endpoint: str | None = None, task: str | None = None, status: str | None = None
    ) -> AsyncGenerator[WebhookDelivery]:
        """Yield what was sent, newest first: to one endpoint, of one task, or pending, succeeded or failed."""
        filters = given(endpoint=endpoint, task=task, status=status)
        async for delivery in self._sender.pages("/api/v1/webhook-deliveries", **filters):
            yield delivery

    @method
    async def get_delivery(self, delivery_id: str) -> WebhookDelivery:
        found: WebhookDelivery = await self._sender.send_json("GET", f"/api/v1/webhook-deliveries/{delivery_id}")
        return found

    @method
    async def redeliver(self, delivery_id: str, *, idempotency_key: str | None = None) -> WebhookDelivery:
        """Send a message again."""
        delivery: WebhookDelivery = await self._sender.make(
            "POST", f"/api/v1/webhook-deliveries/{delivery_id}/redeliver", key=idempotency_key
        )
        return delivery
