"""Slow receivers of some users and the deliveries of others, through a real node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from accounts.models import User
from tasks.models import WebhookDelivery
from tasks.webhooks.endpoints import create_endpoint, send_test
from tests.cluster.conftest import RunningNode, wait_until
from tests.outbound.receiver import ANY_PORT_OF_LOOPBACK, Receiver, hang, running_receiver

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def receivers(settings: Any) -> Iterator[list[Receiver]]:
    """Two receivers: the first never answers, the second at once."""
    settings.OUTBOUND_ALLOW = [ANY_PORT_OF_LOOPBACK]
    with ExitStack() as stack:
        yield [stack.enter_context(running_receiver()) for _ in range(2)]


def tries_that_ended(*owners: User) -> int:
    return sum(len(delivery.tries) for delivery in WebhookDelivery.objects.filter(owner__in=owners))


@pytest.mark.parametrize("slow_owners", [1, 4])
def test_receivers_that_hang_delay_nobody_elses_deliveries(
    slow_owners: int,
    make_user: Callable[..., User],
    bob: User,
    receivers: list[Receiver],
    start_node: Callable[..., RunningNode],
) -> None:
    silent, quick = receivers
    silent.answer = hang
    owners = [make_user(f"slow{number}") for number in range(slow_owners)]
    for owner in owners:
        for number in range(4):
            endpoint, _ = create_endpoint(owner, url=f"{silent.url}/{number}")
            for _ in range(10):
                send_test(endpoint.pk, owner=owner)
    start_node(workers=1, OUTBOUND_ALLOW=ANY_PORT_OF_LOOPBACK)
    wait_until(lambda: len(silent.received) >= 3 * slow_owners, what="tries that hang")
    endpoint, _ = create_endpoint(bob, url=quick.url)
    for _ in range(3):
        send_test(endpoint.pk, owner=bob)
    wait_until(lambda: len(quick.received) == 3, what="bob's deliveries")
    assert not tries_that_ended(*owners), "bob waited until a receiver was given up"
