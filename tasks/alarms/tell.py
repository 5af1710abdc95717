"""Tells of alarms: by mail, as a task that is tried again, and by webhook, as a delivery that is tried for three days.

Both are noted in the transaction that marks the alarm as told, so each beginning and end is told once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.models import User
from accounts.system import system_user
from tasks.alarms import message
from tasks.alarms.receivers import open_endpoint
from tasks.lifecycle.outbox import GIVE_UP_SECONDS
from tasks.mails import Mail, Stored, send_mails
from tasks.models import Alarm, AlarmSettings, WebhookDelivery, WebhookEndpoint


def tell(settings: AlarmSettings, began: Sequence[Alarm], ended: Sequence[Alarm], now: datetime) -> list[Stored]:
    """Note what is to be sent. Joins the open transaction; `fill_soon` is the caller's, after the commit."""
    if not began and not ended:
        return []
    endpoint = open_endpoint(settings)
    if endpoint is not None:
        system = system_user()
        events = [(alarm, message.BEGAN) for alarm in began] + [(alarm, message.ENDED) for alarm in ended]
        WebhookDelivery.objects.bulk_create(
            delivery_of(endpoint, system, kind, message.event(settings, alarm, kind, now), now)
            for alarm, kind in events
        )
    if not settings.mail_to:
        return []
    subject, body = message.subject(began, ended), message.body(settings, began, ended)
    return send_mails(Mail(address, subject, body) for address in settings.mail_to)


def delivery_of(
    endpoint: WebhookEndpoint, owner: User, kind: str, payload: dict[str, object], now: datetime
) -> WebhookDelivery:
    """Return a delivery that is to be stored."""
    return WebhookDelivery(
        owner=owner,
        endpoint=endpoint,
        url=endpoint.url,
        event=kind,
        payload=payload,
        give_up_at=now + timedelta(seconds=GIVE_UP_SECONDS),
    )
