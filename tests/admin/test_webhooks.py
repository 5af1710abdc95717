"""The screens of webhooks: hosts only, tries one by one, and sending again."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tasks.models import AuditEntry, WebhookDelivery, WebhookEndpoint
from tasks.secrets import seal

pytestmark = pytest.mark.django_db

DELIVERIES = "/admin/tasks/webhookdelivery/"
ENDPOINTS = "/admin/tasks/webhookendpoint/"


@pytest.fixture
def endpoint(alice: User) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        owner=alice, url="https://hooks.example.com/T0/secret-path", events=["task.failed"], secret=seal("whsec_AAAA")
    )


@pytest.fixture
def delivery(endpoint: WebhookEndpoint, alice: User) -> WebhookDelivery:
    now = timezone.now()
    return WebhookDelivery.objects.create(
        owner=alice,
        endpoint=endpoint,
        url=endpoint.url,
        event="task.failed",
        task_id=uuid4(),
        task_version=3,
        payload={},
        status="failed",
        tries=[
            {"at": now.isoformat(), "seconds": 0.2, "http_status": 500, "error": "It said 500.", "task": str(uuid4())}
        ],
        error="Given up.",
        give_up_at=now,
        next_try_at=None,
        finished_at=now,
    )


def test_lists_and_pages_show_what_came_of_a_delivery_but_no_secret(viewer: Client, delivery: WebhookDelivery) -> None:
    for address in (
        ENDPOINTS,
        f"{ENDPOINTS}{delivery.endpoint_id}/change/",
        DELIVERIES,
        f"{DELIVERIES}?endpoint={delivery.endpoint_id}&status=failed&created=day",
        f"{DELIVERIES}{delivery.pk}/change/",
    ):
        page = viewer.get(address).content.decode()
        assert "https://hooks.example.com/…" in page, address
        assert "secret-path" not in page
        assert "gAAAA" not in page, "the sealed secret"
    assert "It said 500." in page


@pytest.mark.parametrize("query", ["standing=failing", "standing=disabled", "standing=active"])
def test_endpoints_are_filtered_by_how_they_do(viewer: Client, endpoint: WebhookEndpoint, query: str) -> None:
    assert ("hooks.example.com" in viewer.get(f"{ENDPOINTS}?{query}").content.decode()) is (query == "standing=active")


def test_disabled_endpoint_says_why(viewer: Client, endpoint: WebhookEndpoint) -> None:
    endpoint.disabled_at, endpoint.disabled_reason = timezone.now(), "It was gone."
    endpoint.failing_since = timezone.now() - timedelta(days=3)
    endpoint.save(update_fields=["disabled_at", "disabled_reason", "failing_since"])
    assert "It was gone." in viewer.get(ENDPOINTS).content.decode()


def test_endpoint_that_is_no_id_matches_nothing(viewer: Client, delivery: WebhookDelivery) -> None:
    response = viewer.get(f"{DELIVERIES}?endpoint=nonsense")
    assert response.status_code == 200
    assert "hooks.example.com" not in response.content.decode()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_operator_sends_an_event_again_after_confirming(operator: Client, delivery: WebhookDelivery) -> None:
    form = {"action": "redeliver_selected", "_selected_action": str(delivery.pk)}
    page = operator.post(DELIVERIES, form)
    assert "Send 1 event again?" in page.content.decode()
    delivery.refresh_from_db()
    assert delivery.status == "failed", "only asked so far"
    operator.post(DELIVERIES, form | {"confirmed": "yes"})
    delivery.refresh_from_db()
    assert delivery.status == "pending"
    assert AuditEntry.objects.get(action="redeliver").target_id == str(delivery.pk)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_viewer_cannot_send_an_event_again(viewer: Client, delivery: WebhookDelivery) -> None:
    viewer.post(DELIVERIES, {"action": "redeliver_selected", "_selected_action": str(delivery.pk), "confirmed": "yes"})
    delivery.refresh_from_db()
    assert delivery.status == "failed"


def test_nobody_adds_or_changes_an_endpoint_here(administrator: Client, endpoint: WebhookEndpoint) -> None:
    assert administrator.get(f"{ENDPOINTS}add/").status_code == 403
    assert administrator.post(f"{ENDPOINTS}{endpoint.pk}/change/", {"url": "x"}).status_code == 403
