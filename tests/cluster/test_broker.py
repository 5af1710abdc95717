"""The pusher: who waits for a task to become ready is told of it, and a worker looks before anybody counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tasks import sql
from tasks.cluster.django_q import broker as brokers
from tasks.cluster.django_q.tickets import TicketPipe
from tasks.cluster.listener import Line
from tasks.cluster.node import Node

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[brokers.TicketBroker]:
    """A pusher whose node has one idle worker, and no threads of its own."""
    node = Node(cluster="default", workers=1, tickets=TicketPipe())
    node.memory.take_record()
    made = brokers.TicketBroker()
    made._node, made._payload = node, "ticket"
    made._maintenance = object()  # type: ignore[assignment]
    made._line = Line(node)
    # A notice ends the wait for it.
    monkeypatch.setattr(brokers, "POLL_SECONDS", 60)
    yield made
    made._line._connection.close()


def tell(channel: str, payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


def test_notice_of_a_ready_task_is_a_ticket_at_once(
    broker: brokers.TicketBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    real = sql.run

    def run(name: str, *args: Any, **kwargs: Any) -> Any:
        counted.append(name)
        # In between: it is heard, and nobody has to count again.
        tell("portal_ready", "default")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(sql, "run", run)
    assert broker.dequeue() == [(None, "ticket")]
    assert counted == ["cluster/count_ready"]


@pytest.mark.parametrize(("channel", "payload"), [("portal_ready", "another"), ("portal_elsewhere", "default")])
def test_notice_of_something_else_is_none(
    broker: brokers.TicketBroker, channel: str, payload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brokers, "POLL_SECONDS", 0.3)
    tell(channel, payload)
    assert broker.dequeue() is None


def test_nobody_looks_where_nobody_is_idle(broker: brokers.TicketBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "POLL_SECONDS", 0.3)
    assert broker._node is not None
    broker._node.tickets.put("ticket")
    tell("portal_ready", "default")
    assert broker.dequeue() is None
