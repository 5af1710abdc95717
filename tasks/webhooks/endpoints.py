"""Subscribing: webhook endpoints made, changed, tried out, given another secret, and deleted by their owners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from tasks import errors
from tasks.lifecycle.outbox import GIVE_UP_SECONDS, check_webhook_url
from tasks.models import WebhookDelivery, WebhookEndpoint
from tasks.models.webhook import EVENTS, TEST_EVENT, DeliveryStatus
from tasks.owned import get_owned
from tasks.secrets import seal
from tasks.webhook_secrets import new_secret

MOST_ENDPOINTS = 20
MAX_DESCRIPTION = 200
# Of one endpoint, on their way: tests cost no rate, and each is tried for days.
MOST_TESTS = 10
BY_OWNER = "Disabled by its owner."
DELETED = "The endpoint was deleted."


def create_endpoint(
    user: User, *, url: str | None, events: Sequence[str] = (), description: str = ""
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; return it with its secret, which is not shown again. Opens its own transaction.

    Args:
        url: None for the one that stands for all URLs given with submissions.
        events: empty for all.

    Raises:
        InvalidInput: the URL may not be called, an event is unknown, or the user has too many endpoints.
    """
    _check_words(events, description)
    if url is not None:
        check_webhook_url(url, "/url")
    secret = new_secret()
    with transaction.atomic():
        # Locked, so that two at once cannot pass the limit together.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        owned = WebhookEndpoint.objects.filter(owner=user)
        if owned.count() >= MOST_ENDPOINTS:
            raise errors.WebhookRefused.at(
                "/url", "too_many", f"You have {MOST_ENDPOINTS} webhook endpoints; delete one first."
            )
        if url is None and owned.filter(url="").exists():
            raise errors.WebhookRefused.at(
                "/url", "exists", "There is already one for the URLs given with submissions."
            )
        endpoint = WebhookEndpoint.objects.create(
            owner=user, url=url or "", events=list(events) or EVENTS, description=description, secret=seal(secret)
        )
    return endpoint, secret


def change_endpoint(
    endpoint_id: UUID,
    *,
    owner: User,
    url: str | None = None,
    events: Sequence[str] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> WebhookEndpoint:
    """Change what is given; None leaves a thing as it is. Deliveries under way keep the URL they were noted with.

    Raises:
        NotFound: no such endpoint of theirs.
        InvalidInput: as `create_endpoint`.
    """
    _check_words(events or (), description or "")
    if url is not None:
        check_webhook_url(url, "/url")
    with transaction.atomic(durable=True):
        endpoint = get_owned(WebhookEndpoint, endpoint_id, owner=owner, lock=True)
        if url is not None and not endpoint.url:
            raise errors.WebhookRefused.at(
                "/url", "not_changeable", "This endpoint stands for the URLs given with submissions."
            )
        endpoint.url = endpoint.url if url is None else url
        endpoint.events = endpoint.events if events is None else list(events) or EVENTS
        endpoint.description = endpoint.description if description is None else description
        if enabled is True:
            endpoint.disabled_at, endpoint.disabled_reason, endpoint.failing_since = None, "", None
        elif enabled is False and endpoint.disabled_at is None:
            endpoint.disabled_at, endpoint.disabled_reason = timezone.now(), BY_OWNER
            end_pending(endpoint.pk, f"The endpoint is disabled. {BY_OWNER}")
        endpoint.save(update_fields=["url", "events", "description", "disabled_at", "disabled_reason", "failing_since"])
    return endpoint


def rotate_secret(endpoint_id: UUID, *, owner: User, overlap_hours: int) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint another secret; return it. For `overlap_hours` deliveries are signed with the former one, too.

    Raises:
        NotFound: no such endpoint of theirs.
    """
    secret = new_secret()
    with transaction.atomic():
        endpoint = get_owned(WebhookEndpoint, endpoint_id, owner=owner, lock=True)
        endpoint.previous_secret = endpoint.secret if overlap_hours else ""
        endpoint.previous_until = timezone.now() + timedelta(hours=overlap_hours) if overlap_hours else None
        endpoint.secret = seal(secret)
        endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    return endpoint, secret


def delete_endpoint(endpoint_id: UUID, *, owner: User) -> None:
    """Delete an endpoint; what was not delivered yet is given up, and what was stays listed for its time.

    Raises:
        NotFound: no such endpoint of theirs.
    """
    with transaction.atomic(durable=True):
        endpoint = get_owned(WebhookEndpoint, endpoint_id, owner=owner, lock=True)
        end_pending(endpoint.pk, DELETED)
        endpoint.delete()


def send_test(endpoint_id: UUID, *, owner: User) -> WebhookDelivery:
    """Note a delivery that tells of nothing, to see whether the endpoint answers.

    Raises:
        NotFound: no such endpoint of theirs.
        WrongStatus: it is disabled, has no address of its own, or has not answered so many tests before.
    """
    with transaction.atomic():
        endpoint = get_owned(WebhookEndpoint, endpoint_id, owner=owner, lock=True)
        if not endpoint.url:
            raise errors.WrongStatus("This endpoint has no URL of its own; submit a task with one.")
        if endpoint.disabled_at is not None:
            raise errors.WrongStatus(f"This endpoint is disabled: {endpoint.disabled_reason}")
        pending = WebhookDelivery.objects.filter(endpoint=endpoint, event=TEST_EVENT, status=DeliveryStatus.PENDING)
        if pending.count() >= MOST_TESTS:
            raise errors.WrongStatus(
                f"{MOST_TESTS} tests of this endpoint are still on their way: wait for them first."
            )
        now = timezone.now()
        data = {"id": str(endpoint.pk)}
        return WebhookDelivery.objects.create(
            owner=owner,
            endpoint=endpoint,
            url=endpoint.url,
            event=TEST_EVENT,
            payload={"type": TEST_EVENT, "timestamp": now.isoformat().replace("+00:00", "Z"), "data": data},
            give_up_at=now + timedelta(seconds=GIVE_UP_SECONDS),
        )


def end_pending(endpoint_id: UUID, reason: str) -> None:
    """Give up what an endpoint has not got yet; a try under way ends as it ends. Joins the open transaction."""
    WebhookDelivery.objects.filter(endpoint=endpoint_id, status=DeliveryStatus.PENDING, trying_task_id=None).update(
        status=DeliveryStatus.FAILED, error=reason, next_try_at=None, finished_at=Now()
    )


def _check_words(events: Sequence[str], description: str) -> None:
    if unknown := sorted(set(events) - set(EVENTS)):
        raise errors.WebhookRefused.at(
            "/events", "unknown_event", f"There is no event {unknown[0]!r}. There are: {', '.join(EVENTS)}."
        )
    if len(description) > MAX_DESCRIPTION:
        raise errors.WebhookRefused.at("/description", "too_long", f"At most {MAX_DESCRIPTION} characters.")
