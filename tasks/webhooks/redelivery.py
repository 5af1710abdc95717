"""Redelivering: a person has an event sent once more, or sooner."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import User
from tasks import audit, errors
from tasks.lifecycle.outbox import GIVE_UP_SECONDS
from tasks.models import WebhookDelivery, WebhookEndpoint
from tasks.models.webhook import DeliveryStatus
from tasks.owned import get_owned


def redeliver(delivery_id: UUID, *, by: User, owner: User | None = None) -> WebhookDelivery:
    """Send an event again, under the same webhook-id; one that is still being tried is tried now.

    Args:
        owner: only this user's deliveries are seen; None for operators.

    Raises:
        NotFound: no such delivery.
        WrongStatus: its endpoint is gone or disabled.
    """
    with transaction.atomic():
        delivery = get_owned(WebhookDelivery, delivery_id, owner=owner)
        _check_endpoint(delivery)
        idle = WebhookDelivery.objects.filter(pk=delivery_id, trying_task_id=None)
        # Conditional: a try that begins meanwhile is what was asked for.
        if not idle.filter(status=DeliveryStatus.PENDING).update(next_try_at=Now()):
            idle.exclude(status=DeliveryStatus.PENDING).update(
                status=DeliveryStatus.PENDING,
                failures=0,
                next_try_at=Now(),
                give_up_at=Now() + timedelta(seconds=GIVE_UP_SECONDS),
                finished_at=None,
                error="",
            )
        audit.record(by, "redeliver", "webhook_delivery", delivery_id)
    return get_owned(WebhookDelivery, delivery_id, owner=owner)


def _check_endpoint(delivery: WebhookDelivery) -> None:
    endpoint = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).first()
    if endpoint is None:
        raise errors.WrongStatus("The endpoint of this delivery was deleted.")
    if endpoint.disabled_at is not None:
        raise errors.WrongStatus(f"The endpoint of this delivery is disabled: {endpoint.disabled_reason}")
