"""Webhooks from a task's end to a real receiver: noted once, tried for three days, recorded, given up, sent again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.models import User
from accounts.system import system_user
from tasks import errors, sql
from tasks.handlers import webhook_deliver
from tasks.lifecycle import ending, finish
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.outbox import announce_ended
from tasks.lifecycle.retry import retry_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.lifecycle.sweep import start_due
from tasks.models import Task, TaskContent, TaskWebhook, WebhookDelivery, WebhookEndpoint
from tasks.models.attempt import Outcome
from tasks.webhooks import delivery as delivery_module
from tasks.webhooks.delivery import LIMIT, SHARES, Due, deliver_webhooks, forget_deliveries, forget_task_webhooks
from tasks.webhooks.endpoints import (
    MOST_ENDPOINTS,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    send_test,
)
from tasks.webhooks.redelivery import redeliver
from tests.api.conftest import Undisturbed
from tests.attempts import run_attempt
from tests.claims import claim_task
from tests.outbound.receiver import Receiver, answer_with, hang, running_receiver
from tests.plans import pages_read

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Work = Callable[[], list[Claimed]]


@pytest.fixture
def work(node: UUID) -> Work:
    """Run everything that is ready, as a worker does."""

    def run() -> list[Claimed]:
        done = []
        while claimed := claim_task(cluster="default", node=node, pid=os.getpid(), token=uuid4()):
            assert run_attempt(claimed, Undisturbed())
            done.append(claimed)
        return done

    return run


@pytest.fixture
def round_of_duty(work: Work) -> Callable[[], None]:
    """Start what is due, let workers make the tries, and record them."""

    def run() -> None:
        deliver_webhooks()
        work()
        deliver_webhooks()

    return run


def echo(user: User, **options: Any) -> Task:
    return submit_task(user, Submission("diagnostic.echo", {"message": "private words"}, **options)).task


def only_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def make_due(delivery: WebhookDelivery) -> None:
    WebhookDelivery.objects.filter(pk=delivery.pk, status="pending").update(next_try_at=Now())


def age(delivery: WebhookDelivery, days: float) -> None:
    """Let this much time pass for a delivery and its endpoint."""
    span = timedelta(days=days)
    row = WebhookDelivery.objects.get(pk=delivery.pk)
    for made in row.tries:
        made["at"] = (datetime.fromisoformat(made["at"]) - span).isoformat()
    row.give_up_at -= span
    row.save(update_fields=["tries", "give_up_at"])
    endpoint = WebhookEndpoint.objects.get(pk=row.endpoint_id)
    if endpoint.failing_since:
        endpoint.failing_since -= span
        endpoint.save(update_fields=["failing_since"])


# --- From the end of a task to the receiver ----------------------------------------------------------


def test_end_of_a_task_reaches_the_receiver_signed_and_thin(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    _, secret = create_endpoint(alice, url=receiver.url)
    task = echo(alice)
    work()
    round_of_duty()
    [sent] = receiver.received
    payload = Webhook(secret).verify(sent.body, sent.headers)
    task.refresh_from_db()
    assert payload["type"] == "task.succeeded"
    assert payload["data"] == {
        "id": str(task.pk), "type": "diagnostic.echo", "status": "succeeded", "version": task.version,
    }  # fmt: skip
    assert b"private words" not in sent.body
    assert (sent.method, sent.headers["content-type"]) == ("POST", "application/json")
    delivery = only_delivery()
    assert sent.headers["webhook-id"] == str(delivery.pk)
    assert (delivery.status, len(delivery.tries)) == ("succeeded", 1)
    assert delivery.tries[0]["http_status"] == 204
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 40).verify(sent.body, sent.headers)


def test_delivery_is_a_task_in_the_lane_of_the_system(alice: User, receiver: Receiver, work: Work) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    deliver_webhooks()
    tried = Task.objects.get(type="webhook.deliver")
    assert tried.owner == system_user()
    assert (tried.queue_id, tried.pk) == ("system", only_delivery().trying_task_id)
    secret = WebhookEndpoint.objects.get().secret
    assert "whsec_" not in json.dumps(TaskContent.objects.get(pk=tried.pk).input)
    assert "whsec_" not in secret


def test_every_end_is_announced(
    alice: User, receiver: Receiver, node: UUID, work: Work, claim: Callable[[], Claimed | None]
) -> None:
    create_endpoint(alice, url=receiver.url)
    cancel_task(echo(alice).pk, by=alice)
    echo(alice)
    claimed = claim()
    assert claimed is not None
    finish.finish_attempt(claimed, ending.failed(claimed, errors.GiveUp("no")))
    echo(alice)
    work()
    events = WebhookDelivery.objects.order_by("pk").values_list("event", flat=True)
    assert list(events) == ["task.cancelled", "task.failed", "task.succeeded"]


def test_end_that_is_settled_twice_is_announced_once(alice: User, receiver: Receiver, work: Work) -> None:
    create_endpoint(alice, url=receiver.url)
    task = echo(alice)
    work()
    for _ in range(2):
        with transaction.atomic():
            announce_ended([task.pk])
    assert only_delivery().task_id == task.pk


def test_settling_that_fails_announces_nothing(alice: User, receiver: Receiver, work: Work) -> None:
    task = echo(alice)
    work()
    create_endpoint(alice, url=receiver.url)
    with transaction.atomic():
        announce_ended([task.pk])
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()


def test_task_that_ends_again_after_a_retry_is_announced_again(alice: User, receiver: Receiver, work: Work) -> None:
    create_endpoint(alice, url=receiver.url)
    task = echo(alice)
    cancel_task(task.pk, by=alice)
    retry_task(task.pk, by=alice, owner=alice)
    work()
    assert list(WebhookDelivery.objects.order_by("pk").values_list("event", flat=True)) == [
        "task.cancelled",
        "task.succeeded",
    ]


def test_endpoint_hears_only_of_its_owner_and_its_events(
    alice: User, bob: User, receiver: Receiver, work: Work
) -> None:
    create_endpoint(bob, url=receiver.url)
    create_endpoint(alice, url=receiver.url, events=["task.failed"])
    echo(alice)
    work()
    assert not WebhookDelivery.objects.exists()


@pytest.mark.usefixtures("new_tables")
def test_announcing_uses_indexes_only(alice: User, receiver: Receiver) -> None:
    with connection.cursor() as cursor:
        statement = sql.statement("webhooks/announce").decode()
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN " + statement, {"tasks": [uuid4()], "give_up_seconds": 1.0})
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "Seq Scan" not in plan


# --- Webhooks of one task ------------------------------------------------------------------------------


def test_url_of_a_submission_hears_of_that_task_alone(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    task = echo(alice, webhook=receiver.url)
    echo(alice)
    work()
    round_of_duty()
    [sent] = receiver.received
    endpoint = WebhookEndpoint.objects.get(owner=alice)
    assert endpoint.url == ""
    endpoint, secret = rotate_secret(endpoint.pk, owner=alice, overlap_hours=1)
    assert json.loads(sent.body)["data"]["id"] == str(task.pk)
    redeliver(only_delivery().pk, by=alice, owner=alice)
    round_of_duty()
    Webhook(secret).verify(receiver.received[1].body, receiver.received[1].headers)


def test_endpoint_named_in_a_submission_hears_even_of_what_it_did_not_subscribe_to(
    alice: User, receiver: Receiver, work: Work
) -> None:
    endpoint, _ = create_endpoint(alice, url=receiver.url, events=["task.expired"])
    echo(alice, webhook=str(endpoint.pk))
    work()
    assert (only_delivery().endpoint_id, only_delivery().url) == (endpoint.pk, receiver.url)


def test_one_endpoint_gets_one_delivery_though_it_is_subscribed_and_named(
    alice: User, receiver: Receiver, work: Work
) -> None:
    endpoint, _ = create_endpoint(alice, url=receiver.url)
    echo(alice, webhook=str(endpoint.pk))
    work()
    only_delivery()


@pytest.mark.parametrize("webhook", ["http://169.254.169.254/latest", "https://10.0.0.1/", "nonsense", ""])
def test_submission_with_a_forbidden_webhook_is_refused(alice: User, webhook: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        echo(alice, webhook=webhook)
    assert caught.value.errors[0]["pointer"] == "/webhook"
    assert not Task.objects.exists()


def test_submission_with_anothers_endpoint_is_refused(alice: User, bob: User, receiver: Receiver) -> None:
    endpoint, _ = create_endpoint(bob, url=receiver.url)
    with pytest.raises(errors.InvalidInput, match="no webhook endpoint"):
        echo(alice, webhook=str(endpoint.pk))


def test_batch_keeps_the_webhook_of_each_task(alice: User, receiver: Receiver) -> None:
    wanted = Submission("diagnostic.echo", {"message": "x"}, webhook=receiver.url)
    submit_batch(alice, [wanted, Submission("diagnostic.echo", {"message": "y"}), wanted])
    assert TaskWebhook.objects.count() == 2


# --- Receivers that fail -------------------------------------------------------------------------------


def test_failed_try_is_recorded_and_comes_again(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    receiver.answer = answer_with(500, b"secret of the receiver")
    round_of_duty()
    delivery = only_delivery()
    assert (delivery.status, delivery.failures) == ("pending", 1)
    assert delivery.tries[0]["http_status"] == 500
    assert "secret" not in json.dumps(delivery.tries)
    assert WebhookEndpoint.objects.get().failing_since is not None
    round_of_duty()
    assert len(receiver.received) == 1, "it waits"
    receiver.answer = answer_with(200)
    make_due(delivery)
    round_of_duty()
    delivery = only_delivery()
    assert (delivery.status, [made["http_status"] for made in delivery.tries]) == ("succeeded", [500, 200])
    assert WebhookEndpoint.objects.get().failing_since is None
    first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_waits_grow_to_a_day(alice: User) -> None:
    for failures, about in [(1, 5), (3, 120), (6, 3_600), (10, 86_400), (50, 86_400)]:
        assert 0.9 * about <= delivery_module._wait_seconds(failures, None) <= 1.1 * about
    assert sum(delivery_module.WAITS_SECONDS) <= 3 * 86_400


def test_receiver_may_ask_for_a_longer_wait(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    receiver.answer = answer_with(503, Retry_After="7200")
    round_of_duty()
    delivery = only_delivery()
    assert delivery.next_try_at - delivery.created_at > timedelta(hours=1.9)
    assert delivery_module._wait_seconds(1, 1e9) == 86_400


def test_redirect_is_a_failure_and_not_followed(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    with running_receiver() as elsewhere:
        receiver.answer = answer_with(302, Location=elsewhere.url)
        round_of_duty()
        assert not elsewhere.received
    assert "redirects" in only_delivery().tries[0]["error"]


def test_receiver_that_hangs_is_given_up_after_the_time_limit(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_deliver, "TIMEOUT_SECONDS", 0.3)
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    receiver.answer = hang
    round_of_duty()
    [made] = only_delivery().tries
    assert (made["http_status"], "in time" in made["error"]) == (None, True)


def test_address_that_became_private_is_refused_at_delivery(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None], settings: Any
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    settings.OUTBOUND_ALLOW = []
    round_of_duty()
    assert not receiver.received
    assert "public address" in only_delivery().tries[0]["error"]


def test_receiver_that_is_gone_disables_its_endpoint_at_once(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    receiver.answer = answer_with(410)
    round_of_duty()
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.disabled_at is not None
    assert "410" in endpoint.disabled_reason
    assert only_delivery().status == "failed"
    echo(alice)
    work()
    assert WebhookDelivery.objects.count() == 1, "a disabled endpoint hears of nothing"


def test_three_days_of_failures_give_up_and_disable(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    receiver.answer = answer_with(500)
    round_of_duty()
    other = send_test(WebhookEndpoint.objects.get().pk, owner=alice)
    age(WebhookDelivery.objects.get(event="task.succeeded"), days=3)
    make_due(WebhookDelivery.objects.get(event="task.succeeded"))
    WebhookDelivery.objects.filter(pk=other.pk).update(next_try_at=Now() + timedelta(hours=1))
    round_of_duty()
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.disabled_reason == "Every delivery failed for three days."
    given_up = WebhookDelivery.objects.get(event="task.succeeded")
    assert (given_up.status, given_up.error) == ("failed", "Given up: every try failed for three days.")
    other.refresh_from_db()
    assert other.status == "failed"
    assert "disabled" in other.error


def test_endpoint_that_answered_in_between_stays_enabled(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    endpoint, _ = create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    receiver.answer = answer_with(500)
    round_of_duty()
    delivery = only_delivery()
    age(delivery, days=3)
    receiver.answer = answer_with(200)
    send_test(endpoint.pk, owner=alice)
    round_of_duty()
    receiver.answer = answer_with(500)
    make_due(delivery)
    round_of_duty()
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


def test_url_of_a_submission_that_fails_does_not_disable_the_others(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    echo(alice, webhook=receiver.url)
    work()
    receiver.answer = answer_with(410)
    round_of_duty()
    assert only_delivery().status == "failed"
    assert WebhookEndpoint.objects.get().disabled_at is None


def test_failing_endpoint_gets_one_try_at_a_time_and_keeps_nobody_waiting(
    alice: User, bob: User, receiver: Receiver, work: Work
) -> None:
    slow, _ = create_endpoint(alice, url=receiver.url)
    for _ in range(5):
        echo(alice)
    work()
    WebhookEndpoint.objects.filter(pk=slow.pk).update(failing_since=Now())
    with running_receiver() as other:
        create_endpoint(bob, url=other.url)
        echo(bob)
        work()
        assert deliver_webhooks() == 2
        assert deliver_webhooks() == 0, "no second one beside the first"


def test_owner_of_many_slow_receivers_leaves_room_for_others(alice: User, bob: User, receiver: Receiver) -> None:
    for number in range(20):
        endpoint, _ = create_endpoint(alice, url=f"{receiver.url}/{number}")
        for _ in range(5):
            send_test(endpoint.pk, owner=alice)
    for _ in range(10):
        deliver_webhooks()
    under_way = WebhookDelivery.objects.filter(owner=alice, trying_task_id__isnull=False).count()
    # About: chance decides where the share of an endpoint is less than one.
    assert 1 <= under_way <= 16
    endpoint, _ = create_endpoint(bob, url=receiver.url)
    send_test(endpoint.pk, owner=bob)
    assert deliver_webhooks() >= 1
    started = WebhookDelivery.objects.get(owner=bob).trying_task_id
    assert Task.objects.get(pk=started).status == "ready", "a slot was left"


@pytest.mark.usefixtures("new_tables")
def test_receivers_that_wait_for_their_next_try_take_nothing_from_a_live_one(alice: User, receiver: Receiver) -> None:
    endpoints = [create_endpoint(alice, url=f"{receiver.url}/{n}")[0] for n in range(MOST_ENDPOINTS - 1)]
    for endpoint in endpoints:
        send_test(endpoint.pk, owner=alice)
    WebhookDelivery.objects.update(next_try_at=Now() + timedelta(hours=6))
    with connection.cursor() as cursor:
        # Three days of them.
        cursor.execute(
            "INSERT INTO webhook_delivery (id, owner_id, endpoint_id, url, event, payload, next_try_at, give_up_at)"
            " SELECT gen_random_uuid(), owner_id, endpoint_id, url, event, payload, next_try_at, give_up_at"
            " FROM webhook_delivery, generate_series(1, 1000)"
        )
        cursor.execute("ANALYZE webhook_delivery, webhook_endpoint")
    live, _ = create_endpoint(alice, url=f"{receiver.url}/live")
    send_test(live.pk, owner=alice)
    for _ in range(20):
        # Where it had to share with the others, chance would leave it out most of the time.
        with transaction.atomic():
            assert [row.url for row in sql.run("webhooks/due_deliveries", SHARES | {"limit": LIMIT}, row=Due)] == [
                live.url
            ]
            transaction.set_rollback(True)
    assert pages_read("webhooks/due_deliveries", SHARES | {"limit": LIMIT}) < 500


def test_no_endpoint_is_always_the_last_when_there_is_too_much_to_do(alice: User, receiver: Receiver) -> None:
    urls = [f"{receiver.url}/{number}" for number in range(3)]
    for url in urls:
        endpoint, _ = create_endpoint(alice, url=url)
        for _ in range(2):
            send_test(endpoint.pk, owner=alice)
    seen = set()
    for _ in range(60):
        with transaction.atomic():
            seen |= {row.url for row in sql.run("webhooks/due_deliveries", SHARES | {"limit": 1}, row=Due)}
            transaction.set_rollback(True)
    assert seen == set(urls)


# --- Crashes ---------------------------------------------------------------------------------------------


def test_worker_that_dies_in_a_try_is_followed_by_another(
    alice: User, receiver: Receiver, work: Work, claim: Callable[[], Claimed | None]
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    deliver_webhooks()
    claimed = claim()
    assert claimed is not None
    assert claimed.type == "webhook.deliver"
    finish.finish_attempt(claimed, ending.vanished(claimed, Outcome.DIED))
    assert deliver_webhooks() == 0, "the task tries again by itself"
    Task.objects.filter(pk=claimed.id).update(run_after=Now())
    start_due()
    work()
    deliver_webhooks()
    assert only_delivery().status == "succeeded"
    assert len(receiver.received) == 1


@pytest.mark.parametrize("end", ["cancelled", "vanished"])
def test_try_that_ends_without_a_result_counts_as_failed(alice: User, receiver: Receiver, work: Work, end: str) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    deliver_webhooks()
    tried = Task.objects.get(type="webhook.deliver")
    if end == "cancelled":
        cancel_task(tried.pk, by=alice)
    else:
        WebhookDelivery.objects.update(trying_task_id=uuid4())
    assert deliver_webhooks() == 1
    delivery = only_delivery()
    assert (delivery.status, delivery.failures, delivery.trying_task_id) == ("pending", 1, None)
    assert delivery.tries[0]["error"]


def test_secret_that_cannot_be_opened_fails_the_try_with_the_reason(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None], settings: Any
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    former = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-another-key-another-key-another-key"
    round_of_duty()
    assert "SECRET_KEY" in only_delivery().tries[0]["error"]
    assert not receiver.received
    settings.SECRET_KEY_FALLBACKS = [former]
    make_due(only_delivery())
    round_of_duty()
    assert only_delivery().status == "succeeded"


# --- What people do --------------------------------------------------------------------------------------


def test_redelivery_sends_the_same_event_again(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    round_of_duty()
    redeliver(only_delivery().pk, by=alice, owner=alice)
    round_of_duty()
    assert len(only_delivery().tries) == 2
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]


def test_redelivery_of_what_waits_makes_it_due(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    receiver.answer = answer_with(500)
    round_of_duty()
    redeliver(only_delivery().pk, by=alice, owner=alice)
    receiver.answer = answer_with(204)
    round_of_duty()
    assert only_delivery().status == "succeeded"


def test_redelivery_needs_an_endpoint_that_is_there_and_enabled(
    alice: User, bob: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    endpoint, _ = create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    round_of_duty()
    delivery = only_delivery()
    with pytest.raises(errors.NotFound):
        redeliver(delivery.pk, by=bob, owner=bob)
    change_endpoint(endpoint.pk, owner=alice, enabled=False)
    with pytest.raises(errors.WrongStatus, match="disabled"):
        redeliver(delivery.pk, by=alice, owner=alice)
    delete_endpoint(endpoint.pk, owner=alice)
    with pytest.raises(errors.WrongStatus, match="deleted"):
        redeliver(delivery.pk, by=alice, owner=alice)


def test_both_secrets_sign_while_one_is_replaced(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    endpoint, former = create_endpoint(alice, url=receiver.url)
    _, current = rotate_secret(endpoint.pk, owner=alice, overlap_hours=24)
    send_test(endpoint.pk, owner=alice)
    round_of_duty()
    for secret in (former, current):
        Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    WebhookEndpoint.objects.update(previous_until=Now() - timedelta(seconds=1))
    send_test(endpoint.pk, owner=alice)
    round_of_duty()
    last = receiver.received[-1]
    Webhook(current).verify(last.body, last.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(former).verify(last.body, last.headers)


def test_endpoint_that_is_enabled_again_hears_again(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    endpoint, _ = create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    change_endpoint(endpoint.pk, owner=alice, enabled=False)
    assert only_delivery().status == "failed"
    endpoint = change_endpoint(endpoint.pk, owner=alice, enabled=True)
    assert endpoint.disabled_reason == ""
    echo(alice)
    work()
    round_of_duty()
    assert len(receiver.received) == 1


def test_number_of_endpoints_is_limited(alice: User, receiver: Receiver) -> None:
    for _ in range(MOST_ENDPOINTS):
        create_endpoint(alice, url=receiver.url)
    with pytest.raises(errors.InvalidInput, match="delete one"):
        create_endpoint(alice, url=receiver.url)


def test_nobody_can_sign_in_as_the_system() -> None:
    system = system_user()
    assert system == system_user()
    assert not system.has_usable_password()
    assert (system.plan.name, system.is_staff) == ("Internal", False)


# --- Upkeep ------------------------------------------------------------------------------------------------


def test_old_deliveries_and_webhooks_of_purged_tasks_are_forgotten(
    alice: User, receiver: Receiver, work: Work, round_of_duty: Callable[[], None]
) -> None:
    task = echo(alice, webhook=receiver.url)
    work()
    round_of_duty()
    assert (forget_deliveries(), forget_task_webhooks()) == (0, 0)
    WebhookDelivery.objects.update(finished_at=Now() - timedelta(days=31))
    TaskContent.objects.filter(pk=task.pk).delete()
    assert (forget_deliveries(), forget_task_webhooks()) == (1, 1)


def test_delivery_noted_while_its_endpoint_was_deleted_is_forgotten(
    alice: User, receiver: Receiver, work: Work
) -> None:
    endpoint, _ = create_endpoint(alice, url=receiver.url)
    echo(alice)
    work()
    WebhookEndpoint.objects.filter(pk=endpoint.pk).delete()
    assert deliver_webhooks() == 0
    WebhookDelivery.objects.update(next_try_at=Now() - timedelta(days=2))
    assert forget_deliveries() == 1
