"""Where alarms are posted: an endpoint of the system's own account, with a secret of its own."""

from __future__ import annotations

from django.db import transaction

from accounts.system import system_user
from tasks.alarms.message import EVENTS
from tasks.models import AlarmSettings, WebhookEndpoint
from tasks.secrets import seal
from tasks.webhook_secrets import new_secret
from tasks.webhooks.endpoints import DELETED, end_pending


def set_webhook(url: str) -> str:
    """Post alarms to this address from now on, nowhere where it is empty. Returns the secret that signs them.

    Another address is another endpoint: what is still on its way to the former one is given up.
    """
    with transaction.atomic():
        settings = AlarmSettings.objects.select_for_update(no_key=True).get(pk=1)
        former, settings.endpoint = settings.endpoint, None
        secret = new_secret() if url else ""
        if url:
            settings.endpoint = WebhookEndpoint.objects.create(
                owner=system_user(), url=url, events=EVENTS, description="Alarms", secret=seal(secret)
            )
        settings.save(update_fields=["endpoint"])
        if former is not None:
            end_pending(former.pk, DELETED)
            former.delete()
    return secret


def reopen_webhook() -> None:
    """Post alarms again to an address that was given up because it failed for days; its secret stays."""
    given_up = WebhookEndpoint.objects.filter(pk__in=AlarmSettings.objects.values("endpoint"))
    given_up.update(disabled_at=None, disabled_reason="", failing_since=None)


def open_endpoint(settings: AlarmSettings) -> WebhookEndpoint | None:
    """Return where alarms are posted; None for nowhere, also where the address was given up."""
    endpoint = settings.endpoint
    return endpoint if endpoint is not None and endpoint.disabled_at is None else None
