"""Webhook endpoints and deliveries of both clients against the live server; nothing is sent, for no node runs."""

from __future__ import annotations

import pytest

from tasks.client import Client, errors

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

URL = "https://93.184.216.34/hook"


def test_client_makes_changes_and_deletes_endpoints(portal: Client) -> None:
    made = portal.create_endpoint(URL, events=["task.failed"], description="alarms", idempotency_key="once")
    secret = made["secret"] or ""
    assert secret.startswith("whsec_")
    again = portal.create_endpoint(URL, events=["task.failed"], description="alarms", idempotency_key="once")
    assert (again["id"], again["secret"]) == (made["id"], None)
    shared = portal.create_endpoint(None)
    assert [found["id"] for found in portal.endpoints()] == [shared["id"], made["id"]]
    changed = portal.change_endpoint(made["id"], events=["task.succeeded"], enabled=False)
    assert (changed["events"], changed["enabled"], changed["description"]) == (["task.succeeded"], False, "alarms")
    assert portal.get_endpoint(made["id"]) == changed
    rotated = portal.rotate_secret(made["id"], overlap_hours=1)["secret"] or ""
    assert rotated.startswith("whsec_")
    assert rotated != secret
    portal.delete_endpoint(made["id"])
    with pytest.raises(errors.NotFound):
        portal.get_endpoint(made["id"])


def test_client_tests_an_endpoint_and_sends_again(portal: Client) -> None:
    endpoint = portal.create_endpoint(URL)
    delivery = portal.test_endpoint(endpoint["id"], idempotency_key="once")
    assert (delivery["event"], delivery["status"], delivery["endpoint"]) == ("webhook.test", "pending", endpoint["id"])
    assert portal.test_endpoint(endpoint["id"], idempotency_key="once")["id"] == delivery["id"]
    assert [found["id"] for found in portal.deliveries(endpoint=endpoint["id"], status="pending")] == [delivery["id"]]
    assert list(portal.deliveries(status="failed")) == []
    assert portal.get_delivery(delivery["id"])["tries"] == []
    again = portal.redeliver(delivery["id"], idempotency_key="again")
    assert (again["id"], again["status"]) == (delivery["id"], "pending")


def test_address_that_is_not_called_is_refused(portal: Client) -> None:
    with pytest.raises(errors.WebhookRefused):
        portal.create_endpoint("https://127.0.0.1/")
