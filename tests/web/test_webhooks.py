"""Webhooks on the pages: made with a secret that is shown once, tried out, paused, sent again, deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.web import shown_once
from tasks.models import WebhookDelivery, WebhookEndpoint
from tasks.secrets import open_sealed
from tests.outbound.receiver import ANY_PORT_OF_LOOPBACK
from tests.web.conftest import SignIn

pytestmark = pytest.mark.django_db

FIELDS = {"url": "http://127.0.0.1:9/hook", "description": "My program", "events": ["task.failed"]}
ACTIONS = ["test-webhook", "pause-webhook", "resume-webhook", "rotate-webhook", "delete-webhook"]


@pytest.fixture
def endpoint(page: Client, alice: User, settings: Any) -> WebhookEndpoint:
    settings.OUTBOUND_ALLOW = [ANY_PORT_OF_LOOPBACK]
    assert page.post(reverse("web:webhooks"), FIELDS).status_code == 302
    return WebhookEndpoint.objects.get(owner=alice)


def secret_on(page: Client, endpoint: WebhookEndpoint) -> str:
    found = re.search(r'id="secret">(whsec_[^<]+)<', page.get(reverse("web:webhook", args=[endpoint.pk])).text)
    return found[1] if found else ""


def test_secret_is_shown_for_a_minute(page: Client, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = secret_on(page, endpoint)
    assert secret == open_sealed(endpoint.secret)
    assert secret not in str(dict(page.session))
    page.post(reverse("web:rotate-webhook", args=[endpoint.pk]))
    assert secret_on(page, endpoint) not in ("", secret)
    monkeypatch.setattr(shown_once, "SHOWN_SECONDS", 0.0)
    page.post(reverse("web:rotate-webhook", args=[endpoint.pk]))
    assert secret_on(page, endpoint) == ""


def test_webhook_is_tried_out_changed_paused_and_deleted(page: Client, endpoint: WebhookEndpoint) -> None:
    address = reverse("web:webhook", args=[endpoint.pk])
    assert "My program" in page.get(reverse("web:webhooks")).text
    assert page.post(reverse("web:test-webhook", args=[endpoint.pk])).status_code == 302
    delivery = WebhookDelivery.objects.get(endpoint=endpoint.pk)
    delivery.tries = [{"at": "2026-12-01T06:00:00Z", "seconds": 1, "http_status": 503, "error": None, "task": "1"}]
    delivery.save(update_fields=["tries"])
    assert "HTTP 503" in page.get(address).text
    assert page.post(reverse("web:send-again", args=[delivery.pk])).status_code == 302
    page.post(address, FIELDS | {"description": "Another", "events": ["task.failed", "task.succeeded"]})
    page.post(reverse("web:pause-webhook", args=[endpoint.pk]))
    endpoint.refresh_from_db()
    assert (endpoint.description, len(endpoint.events), endpoint.disabled_at is None) == ("Another", 2, False)
    assert "is disabled" in page.post(reverse("web:send-again", args=[delivery.pk]), follow=True).text
    assert "is disabled" in page.post(reverse("web:test-webhook", args=[endpoint.pk]), follow=True).text
    page.post(reverse("web:resume-webhook", args=[endpoint.pk]))
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None
    page.post(reverse("web:delete-webhook", args=[endpoint.pk]))
    assert page.get(address).status_code == 404
    assert "No webhooks" in page.get(reverse("web:webhooks")).text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"url": "http://169.254.169.254/hook"}, "field-error"),
        ({"url": "nonsense"}, "field-error"),
        ({"url": "http://127.0.0.1:9/\0"}, "field-error"),
        ({"url": ""}, "field-error"),
        ({"events": ["task.exploded"]}, "field-error"),
        ({"description": "x" * 201}, "field-error"),
    ],
)
def test_what_is_no_webhook_is_marked(page: Client, settings: Any, fields: dict[str, Any], told: str) -> None:
    settings.OUTBOUND_ALLOW = [ANY_PORT_OF_LOOPBACK]
    response = page.post(reverse("web:webhooks"), FIELDS | fields)
    assert response.status_code == 422
    assert told in response.text
    assert not WebhookEndpoint.objects.exists()


def test_others_webhooks_are_not_there(page: Client, endpoint: WebhookEndpoint, sign_in: SignIn, bob: User) -> None:
    page.post(reverse("web:test-webhook", args=[endpoint.pk]))
    delivery = WebhookDelivery.objects.get(endpoint=endpoint.pk)
    other = sign_in(bob)
    assert other.get(reverse("web:webhook", args=[endpoint.pk])).status_code == 404
    for name in ACTIONS:
        assert other.post(reverse(f"web:{name}", args=[endpoint.pk])).status_code == 404
        assert page.get(reverse(f"web:{name}", args=[endpoint.pk])).status_code == 405
    assert other.post(reverse("web:send-again", args=[delivery.pk])).status_code == 404
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None
