"""Operators are told once when an alarm begins and once when it ends, by mail and webhook, and not in quiet hours."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from standardwebhooks import Webhook

from tasks.alarms import message, receivers, watch
from tasks.alarms.quiet import may_tell
from tasks.alarms.trouble import Trouble
from tasks.alarms.watch import forget_alarms, watch_alarms
from tasks.models import (
    Alarm,
    AlarmKind,
    AlarmSettings,
    Cluster,
    Node,
    Queue,
    Task,
    WebhookDelivery,
    WebhookEndpoint,
)
from tasks.webhooks.delivery import deliver_webhooks
from tests.alarms.mail_server import MailServer, running_mail_server
from tests.api.conftest import Undisturbed
from tests.attempts import run_attempt
from tests.claims import claim_task
from tests.outbound.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

URGENT = Trouble(AlarmKind.NO_WORKERS, "default", "No node takes work.", "/admin/tasks/node/")
MILD = Trouble(AlarmKind.OLDEST_WAIT, "text", "The oldest waits.", "/admin/tasks/task/", is_bad=False)


@pytest.fixture
def troubles(node: Node, monkeypatch: pytest.MonkeyPatch) -> list[Trouble]:
    """What there is to find: the test says so."""
    found: list[Trouble] = []
    monkeypatch.setattr(watch, "find_troubles", lambda _facts: list(found))
    AlarmSettings.objects.update(tell_after_seconds=0, portal_url="https://portal.example.com/")
    return found


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    with running_mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "portal@example.com"
        AlarmSettings.objects.update(mail_to=["olga@example.com", "otto@example.com"])
        yield server


@pytest.fixture
def work(node: Node) -> Callable[[], None]:
    """Do what the duties and a worker do, until nothing is left."""

    def run() -> None:
        deliver_webhooks()
        while claimed := claim_task(cluster="default", node=node.pk, pid=os.getpid(), token=uuid4()):
            run_attempt(claimed, Undisturbed())
        deliver_webhooks()

    return run


def calm_down() -> None:
    """Let the time pass after which what is gone is over."""
    Alarm.objects.update(seen_at=F("seen_at") - watch.CALM - timedelta(seconds=1))


def test_mail_is_sent_once_when_it_begins_and_once_when_it_ends(
    troubles: list[Trouble], mails: MailServer, work: Callable[[], None]
) -> None:
    troubles += [URGENT, MILD]
    assert watch_alarms() == 2
    assert watch_alarms() == 0
    work()
    # One each: what a server says of one address is nothing to the others.
    assert [recipients for recipients, _ in mails.received] == [["olga@example.com"], ["otto@example.com"]]
    mail = mails.received[0][1]
    assert mail["Subject"] == "[Portal] 2 alarms"
    text = mail.get_content().replace("\r", "")
    assert "No node takes work.\n    https://portal.example.com/admin/tasks/node/" in text
    troubles.clear()
    assert watch_alarms() == 0
    calm_down()
    assert watch_alarms() == 2
    assert watch_alarms() == 0
    work()
    assert [mail["Subject"] for _, mail in mails.received[1:3]] == ["[Portal] 2 alarms", "[Portal] 2 alarms are over"]
    # It comes again: another alarm.
    troubles.append(URGENT)
    assert watch_alarms() == 1
    work()
    assert mails.received[-1][1]["Subject"] == "[Portal] No node takes work."


def test_mail_and_webhook_lead_to_the_runbook_where_there_is_one(settings: Any) -> None:
    settings.RUNBOOK_URL = "https://wiki.example.com/runbook"
    stored = AlarmSettings.objects.get()
    alarm = Alarm(kind="no_workers", about="default", text="t", path="/admin/", is_bad=True, began_at=timezone.now())
    address = "https://wiki.example.com/runbook#no_workers"
    assert f"    {address}\n" in message.body(stored, [alarm], [])
    assert message.event(stored, alarm, message.BEGAN, timezone.now())["data"]["runbook"] == address
    assert address not in message.body(stored, [], [alarm])


def test_mail_that_the_server_does_not_take_is_sent_again_as_the_same(
    troubles: list[Trouble], mails: MailServer, work: Callable[[], None]
) -> None:
    AlarmSettings.objects.update(mail_to=["olga@example.com"])
    mails.answers = [b"451 later"]
    troubles.append(URGENT)
    watch_alarms()
    work()
    assert mails.received == []
    task = Task.objects.get(type="mail.send")
    assert task.status == "scheduled"
    Task.objects.filter(pk=task.pk).update(run_after=Now())
    from tasks.lifecycle.sweep import start_due

    start_due()
    work()
    [(_, mail)] = mails.received
    assert mail["Message-ID"] == f"<{task.content.input['message_id']}@example.com>"
    mails.answers = [b"554 never"]
    troubles.append(MILD)
    watch_alarms()
    work()
    assert sorted(Task.objects.filter(type="mail.send").values_list("status", flat=True)) == ["failed", "succeeded"]


def test_address_that_is_refused_keeps_no_other_from_its_mail_and_is_seen(
    troubles: list[Trouble], mails: MailServer, work: Callable[[], None]
) -> None:
    mails.refused = {"olga@example.com"}
    troubles.append(URGENT)
    watch_alarms()
    work()
    assert [recipients for recipients, _ in mails.received] == [["otto@example.com"]]
    failed = Task.objects.get(type="mail.send", status="failed")
    assert failed.error is not None
    assert failed.content.input["to"] == ["olga@example.com"]
    assert "550" in failed.error["message"]


def test_mail_goes_where_somebody_works(troubles: list[Trouble], mails: MailServer, node: Node) -> None:
    """That nobody works at the queue of mails is what has to be told."""
    Cluster.objects.create(name="gpu")
    Queue.objects.create(name="gpu-chat", title="Chat", cluster_id="gpu")
    Node.objects.update(cluster_id="gpu")
    troubles.append(URGENT)
    watch_alarms()
    assert set(Task.objects.filter(type="mail.send").values_list("queue", flat=True)) == {"gpu-chat"}


def test_address_that_was_given_up_gets_nothing_until_it_is_saved_again(
    troubles: list[Trouble], receiver: Receiver, work: Callable[[], None]
) -> None:
    receivers.set_webhook(receiver.url)
    WebhookEndpoint.objects.update(disabled_at=Now(), disabled_reason="Every delivery failed for three days.")
    troubles.append(URGENT)
    assert watch_alarms() == 0
    assert not WebhookDelivery.objects.exists()
    receivers.reopen_webhook()
    assert watch_alarms() == 1
    work()
    assert len(receiver.received) == 1


def test_what_ended_long_ago_is_told_to_nobody_who_asks_now(troubles: list[Trouble], mails: MailServer) -> None:
    long_ago = Now() - timedelta(days=2)
    Alarm.objects.create(
        kind="disk", about="room", text="t", path="/", is_bad=True, began_at=long_ago, told_at=long_ago,
        ended_at=long_ago,
    )  # fmt: skip
    assert watch_alarms() == 0


def test_webhook_is_posted_signed_as_it_begins_and_as_it_ends(
    troubles: list[Trouble], receiver: Receiver, work: Callable[[], None]
) -> None:
    secret = receivers.set_webhook(receiver.url)
    troubles.append(URGENT)
    watch_alarms()
    work()
    troubles.clear()
    calm_down()
    watch_alarms()
    watch_alarms()
    work()
    events = [Webhook(secret).verify(one.body, one.headers) for one in receiver.received]
    assert [event["type"] for event in events] == ["alarm.began", "alarm.ended"]
    alarm = Alarm.objects.get()
    data = events[0]["data"]
    assert data == {
        "id": alarm.pk, "kind": "no_workers", "about": "default", "text": "No node takes work.", "urgent": True,
        "url": "https://portal.example.com/admin/tasks/node/", "runbook": None,
        "began_at": alarm.began_at.isoformat().replace("+00:00", "Z"), "ended_at": None,
    }  # fmt: skip
    assert json.loads(receiver.received[1].body)["data"]["ended_at"]


def test_another_address_gets_a_secret_of_its_own_and_the_former_one_gets_nothing(receiver: Receiver) -> None:
    first = receivers.set_webhook(receiver.url)
    assert receivers.set_webhook(f"{receiver.url}/other") != first
    assert WebhookEndpoint.objects.get().url.endswith("/other")
    assert receivers.set_webhook("") == ""
    assert not WebhookEndpoint.objects.exists()
    assert AlarmSettings.objects.get().endpoint is None


def test_what_is_over_at_once_or_not_wanted_is_told_to_nobody(troubles: list[Trouble], mails: MailServer) -> None:
    AlarmSettings.objects.update(tell_after_seconds=60, not_told=["oldest_wait"])
    troubles += [URGENT, MILD]
    assert watch_alarms() == 0
    Alarm.objects.update(began_at=F("began_at") - timedelta(seconds=61))
    assert watch_alarms() == 1
    assert Alarm.objects.get(kind="oldest_wait").told_at is None
    troubles.clear()
    calm_down()
    assert watch_alarms() == 1
    assert not Alarm.objects.filter(ended_at=None).exists()


def test_what_comes_and_goes_is_one_alarm(troubles: list[Trouble], mails: MailServer) -> None:
    troubles.append(URGENT)
    watch_alarms()
    troubles.clear()
    watch_alarms()
    troubles.append(URGENT)
    calm_down()
    watch_alarms()
    assert Alarm.objects.filter(ended_at=None).count() == Alarm.objects.count() == 1


def test_in_quiet_hours_only_what_is_urgent_is_told(troubles: list[Trouble], mails: MailServer) -> None:
    AlarmSettings.objects.update(quiet_from=time(0), quiet_until=time(23, 59, 59, 999_999))
    troubles += [URGENT, MILD]
    assert watch_alarms() == 1
    assert Alarm.objects.exclude(told_at=None).get().kind == "no_workers"
    AlarmSettings.objects.update(quiet_from=None, quiet_until=None)
    assert watch_alarms() == 1
    assert watch_alarms() == 0


def test_quiet_hours_are_those_of_the_portals_time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    quiet = AlarmSettings(quiet_from=time(22), quiet_until=time(7), urgent_always=False)
    assert not may_tell(quiet, datetime.fromisoformat("2026-12-01T14:00:00Z"), is_urgent=True)
    assert may_tell(quiet, datetime.fromisoformat("2026-12-01T23:00:00Z"), is_urgent=False)


def test_nothing_is_marked_as_told_that_could_not_be_noted(
    troubles: list[Trouble], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receivers.set_webhook(receiver.url)
    troubles.append(URGENT)
    AlarmSettings.objects.update(mail_to=["olga@example.com"])

    def fail(*_given: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("tasks.alarms.tell.send_mails", fail)
    with pytest.raises(RuntimeError):
        watch_alarms()
    assert not Alarm.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_two_nodes_tell_once(troubles: list[Trouble], receiver: Receiver) -> None:
    """While another one holds the settings, nothing is done: it is that one's turn."""
    receivers.set_webhook(receiver.url)
    troubles.append(URGENT)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM alarm_settings FOR NO KEY UPDATE")
            assert watch_alarms() == 0
            assert not Alarm.objects.exists()
            cursor.execute("COMMIT")
    finally:
        other.close()
    assert watch_alarms() == 1


def test_alarms_of_long_ago_are_forgotten() -> None:
    for days in (89, 91):
        Alarm.objects.create(
            kind="disk", about=str(days), text="t", path="/", is_bad=True, ended_at=Now() - timedelta(days=days)
        )
    forget_alarms()
    assert list(Alarm.objects.values_list("about", flat=True)) == ["89"]
