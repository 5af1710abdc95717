"""Webhooks through a real node: its duties start the deliveries, its workers make them, also after a kill."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest
from standardwebhooks import Webhook

from accounts.models import User
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Task, WebhookDelivery
from tasks.webhooks.endpoints import create_endpoint
from tests.cluster.conftest import RunningNode, wait_until
from tests.outbound.receiver import ANY_PORT_OF_LOOPBACK, Handler, Receiver, answer_with, hang

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def test_delivery_survives_the_death_of_its_worker(
    alice: User, receiver: Receiver, start_node: Callable[..., RunningNode]
) -> None:
    """The first try hangs until its worker is killed; the task runs again, and the receiver hears of it once more."""

    def hang_once(handler: Handler) -> None:
        (hang if len(receiver.received) == 1 else answer_with(204))(handler)

    receiver.answer = hang_once
    _, secret = create_endpoint(alice, url=receiver.url)
    start_node(workers=2, OUTBOUND_ALLOW=ANY_PORT_OF_LOOPBACK)
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "hello"})).task
    wait_until(lambda: receiver.received, what="the first try")
    tried = Task.objects.get(type="webhook.deliver")
    wait_until(lambda: Task.objects.filter(pk=tried.pk, status="running").exists(), what="the try to be seen running")
    psutil.Process(Task.objects.get(pk=tried.pk).worker_pid or 0).kill()
    wait_until(lambda: WebhookDelivery.objects.filter(status="succeeded").exists(), what="the delivery")
    delivery = WebhookDelivery.objects.get()
    assert delivery.task_id == task.pk
    assert [made["http_status"] for made in delivery.tries] == [204]
    assert len(receiver.received) == 2
    for sent in receiver.received:
        assert Webhook(secret).verify(sent.body, sent.headers)["data"]["id"] == str(task.pk)
        assert sent.headers["webhook-id"] == str(delivery.pk)
