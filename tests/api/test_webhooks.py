"""/webhook-endpoints and /webhook-deliveries, and the field `webhook` of a submission."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tasks.lifecycle.outbox import announce_ended
from tasks.models import TaskWebhook, WebhookDelivery, WebhookEndpoint
from tests.api.conftest import ECHO, JSON, MakeClient, Work
from tests.outbound.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ENDPOINTS = "/api/v1/webhook-endpoints"
DELIVERIES = "/api/v1/webhook-deliveries"
# A public address: nothing is sent to it here.
URL = "https://93.184.216.34/hooks"


@pytest.fixture
def client_of_alice(api: MakeClient, alice: User) -> Client:
    return api(alice)


def make(client: Client, **body: Any) -> dict[str, Any]:
    response = client.post(ENDPOINTS, {"url": URL} | body, JSON)
    assert response.status_code == 201, response.content
    endpoint: dict[str, Any] = response.json()
    return endpoint


def test_new_endpoint_shows_its_secret_once(client_of_alice: Client) -> None:
    response = client_of_alice.post(ENDPOINTS, {"url": URL, "description": "shop"}, JSON)
    made = response.json()
    assert response["Location"] == made["urls"]["self"]
    assert response["Cache-Control"] == "no-store"
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    read = client_of_alice.get(made["urls"]["self"]).json()
    assert read == {name: value for name, value in made.items() if name != "secret"}
    assert read["events"] == ["task.succeeded", "task.failed", "task.cancelled", "task.expired"]
    assert (read["url"], read["enabled"], read["description"]) == (URL, True, "shop")


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.216.34/",
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://user:password@93.184.216.34/",
        "https://93.184.216.34:8443/",
        "ftp://93.184.216.34/",
        "nonsense",
        "",
    ],
)
def test_url_that_may_not_be_called_is_refused(client_of_alice: Client, url: str) -> None:
    response = client_of_alice.post(ENDPOINTS, {"url": url}, JSON)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/url"
    made = make(client_of_alice)
    response = client_of_alice.patch(made["urls"]["self"], {"url": url}, JSON)
    assert response.status_code == 422
    assert WebhookEndpoint.objects.get().url == URL


@pytest.mark.parametrize(
    "body", [{}, {"url": 5}, {"url": URL, "events": ["task.started"]}, {"url": URL, "secret": "x"}, {"url": "x" * 2001}]
)
def test_faulty_body_is_refused(client_of_alice: Client, body: dict[str, Any]) -> None:
    assert client_of_alice.post(ENDPOINTS, body, JSON).status_code == 422


def test_endpoint_is_changed_disabled_enabled_and_deleted(client_of_alice: Client) -> None:
    own = make(client_of_alice)["urls"]["self"]
    changed = client_of_alice.patch(own, {"events": ["task.failed"], "enabled": False, "description": "d"}, JSON).json()
    assert (changed["events"], changed["enabled"], changed["description"]) == (["task.failed"], False, "d")
    assert changed["disabled_reason"] == "Disabled by its owner."
    assert client_of_alice.patch(own, {"enabled": True}, JSON).json()["enabled"] is True
    assert client_of_alice.delete(own).status_code == 204
    assert client_of_alice.get(own).status_code == 404
    assert client_of_alice.delete(own).status_code == 404


def test_secret_is_replaced_with_an_overlap(client_of_alice: Client) -> None:
    made = make(client_of_alice)
    rotated = client_of_alice.post(made["urls"]["rotate_secret"], {"overlap_hours": 1}, JSON).json()
    assert rotated["secret"] not in {made["secret"], None}
    assert WebhookEndpoint.objects.get().previous_until is not None
    client_of_alice.post(made["urls"]["rotate_secret"], {"overlap_hours": 0}, JSON)
    assert WebhookEndpoint.objects.get().previous_secret == ""
    without_body = client_of_alice.post(made["urls"]["rotate_secret"], "", JSON)
    assert without_body.status_code == 200
    too_long = client_of_alice.post(made["urls"]["rotate_secret"], {"overlap_hours": 169}, JSON)
    assert too_long.status_code == 422


def test_test_is_a_delivery(client_of_alice: Client) -> None:
    made = make(client_of_alice)
    response = client_of_alice.post(made["urls"]["test"])
    delivery = response.json()
    assert response.status_code == 202
    assert (delivery["event"], delivery["task"], delivery["status"]) == ("webhook.test", None, "pending")
    assert client_of_alice.get(delivery["urls"]["self"]).json() == delivery
    client_of_alice.patch(made["urls"]["self"], {"enabled": False}, JSON)
    assert client_of_alice.post(made["urls"]["test"]).status_code == 409


def test_endpoint_for_urls_of_submissions_is_made_once_and_has_no_test(client_of_alice: Client) -> None:
    made = make(client_of_alice, url=None)
    assert made["url"] is None
    assert client_of_alice.post(ENDPOINTS, {"url": None}, JSON).status_code == 422
    assert client_of_alice.post(made["urls"]["test"]).status_code == 409
    assert client_of_alice.patch(made["urls"]["self"], {"url": URL}, JSON).status_code == 422


def test_submission_takes_a_url_or_an_endpoint(client_of_alice: Client) -> None:
    made = make(client_of_alice)
    for webhook in (URL, made["id"]):
        assert client_of_alice.post("/api/v1/tasks", ECHO | {"webhook": webhook}, JSON).status_code == 202
    assert sorted(TaskWebhook.objects.values_list("url", flat=True)) == ["", URL]
    assert [endpoint["url"] for endpoint in client_of_alice.get(ENDPOINTS).json()["data"]] == [None, URL]


@pytest.mark.parametrize("webhook", ["https://10.0.0.1/", "http://localhost/", "", 7, "x" * 2001])
def test_submission_with_a_forbidden_webhook_is_422(client_of_alice: Client, webhook: Any) -> None:
    response = client_of_alice.post("/api/v1/tasks", ECHO | {"webhook": webhook}, JSON)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/webhook"


def test_submission_with_a_disabled_endpoint_is_422(client_of_alice: Client) -> None:
    made = make(client_of_alice)
    client_of_alice.patch(made["urls"]["self"], {"enabled": False}, JSON)
    response = client_of_alice.post("/api/v1/tasks", ECHO | {"webhook": made["id"]}, JSON)
    assert response.json()["errors"][0]["code"] == "endpoint_disabled"


def test_batch_names_the_item_with_a_forbidden_webhook(client_of_alice: Client) -> None:
    body = {"tasks": [ECHO, ECHO | {"webhook": "https://10.0.0.1/"}]}
    items = client_of_alice.post("/api/v1/batches", body, JSON).json()["items"]
    assert items[1]["problem"]["errors"][0]["pointer"] == "/webhook"


def test_deliveries_are_listed_filtered_and_sent_again(client_of_alice: Client, receiver: Receiver, work: Work) -> None:
    from tasks.webhooks.delivery import deliver_webhooks

    made = make(client_of_alice, url=receiver.url)
    task = client_of_alice.post("/api/v1/tasks", ECHO, JSON).json()
    announce_ended([work().id])
    deliver_webhooks()
    work()
    deliver_webhooks()
    client_of_alice.post(made["urls"]["test"])
    [test, ended] = client_of_alice.get(DELIVERIES).json()["data"]
    assert (test["event"], ended["event"], ended["task"]) == ("webhook.test", "task.succeeded", task["id"])
    [made_try] = ended["tries"]
    assert (made_try["http_status"], made_try["error"], sorted(made_try)) == (
        204, None, ["at", "error", "http_status", "seconds"],
    )  # fmt: skip

    def found(query: str) -> list[str]:
        return [delivery["id"] for delivery in client_of_alice.get(f"{DELIVERIES}?{query}").json()["data"]]

    assert found(f"task={task['id']}") == [ended["id"]]
    assert found("status=pending") == [test["id"]]
    assert found(f"endpoint={made['id']}&status=succeeded") == [ended["id"]]
    assert client_of_alice.get(f"{DELIVERIES}?status=lost").status_code == 400
    first = client_of_alice.get(f"{DELIVERIES}?limit=1").json()
    assert found(f"limit=1&cursor={first['next_cursor']}") == [ended["id"]]
    again = client_of_alice.post(ended["urls"]["redeliver"])
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    deliver_webhooks()
    work()
    work()
    deliver_webhooks()
    assert len(client_of_alice.get(ended["urls"]["self"]).json()["tries"]) == 2


def test_webhooks_need_their_scope(api: MakeClient, alice: User) -> None:
    assert api(alice, "tasks:read", "tasks:write").get(ENDPOINTS).status_code == 403
    assert api(alice, "webhooks").get(ENDPOINTS).status_code == 200


def test_another_user_sees_and_changes_nothing(client_of_alice: Client, api: MakeClient, bob: User) -> None:
    made = make(client_of_alice)
    delivery = client_of_alice.post(made["urls"]["test"]).json()
    other = api(bob)
    assert other.get(ENDPOINTS).json()["data"] == other.get(DELIVERIES).json()["data"] == []
    for address in (made["urls"]["test"], made["urls"]["rotate_secret"], delivery["urls"]["redeliver"]):
        assert other.post(address).status_code == 404
    assert other.get(f"{DELIVERIES}?endpoint={made['id']}").json()["data"] == []
    assert other.delete(made["urls"]["self"]).status_code == 404
    assert WebhookDelivery.objects.count() == 1


def test_tests_of_an_endpoint_that_does_not_answer_do_not_pile_up(client_of_alice: Client) -> None:
    made = make(client_of_alice)
    for _ in range(10):
        assert client_of_alice.post(made["urls"]["test"]).status_code == 202
    refused = client_of_alice.post(made["urls"]["test"])
    assert refused.status_code == 409
    assert "on their way" in refused.json()["detail"]
    WebhookDelivery.objects.update(status="succeeded", next_try_at=None, finished_at="2026-01-01T00:00:00Z")
    assert client_of_alice.post(made["urls"]["test"]).status_code == 202
