"""Announcing: a delivery is noted for each webhook that is to hear of a task's end, with the end itself.

Deliveries are noted, once each, inside the transaction that settles the end; sending them is
`tasks.webhooks.delivery`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from accounts.models import User
from tasks import errors, sql
from tasks.kept import kept
from tasks.lifecycle.submission import Accepted, Webhook
from tasks.models import TaskWebhook, WebhookEndpoint
from tasks.models.webhook import EVENTS
from tasks.outbound.guard import check_url
from tasks.webhook_secrets import new_sealed_secret

# How long a receiver is tried that answers nothing but failures.
GIVE_UP_SECONDS = 3 * 86_400.0
# A batch names one address a thousand times. Checking it again is up to each delivery.
CHECKED_SECONDS = 10.0
# A request waits for the look-up; the names that users give may be served by whoever wants it to wait.
LOOKUP_SECONDS = 2.0
MOST_REMEMBERED = 1_000


def announce_ended(tasks: Sequence[UUID]) -> None:
    """Note the deliveries for tasks that have just ended. Needs the transaction that settles their end.

    One statement; those that have not ended after all, and owners without endpoints, are passed over.
    Calling it again for the same end changes nothing.
    """
    if tasks:
        sql.execute("webhooks/announce", {"tasks": list(tasks), "give_up_seconds": GIVE_UP_SECONDS})


def check_webhook(given: str) -> None:
    """Refuse a submission's `webhook` when it is a URL that no delivery could go to. Looks its name up: no transaction.

    Raises:
        InvalidInput: with the pointer.
    """
    if _endpoint_id(given) is None:
        check_webhook_url(given, "/webhook")


def find_webhook(user: User, given: str) -> Webhook:
    """Return what a submission's checked `webhook` stands for: the id of an endpoint, or a URL.

    The first URL makes the endpoint whose secret signs everything that goes to such URLs.

    Raises:
        InvalidInput: there is no such endpoint, or it is disabled.
    """
    endpoint_id = _endpoint_id(given)
    if endpoint_id is None:
        endpoint, _ = WebhookEndpoint.objects.get_or_create(
            owner=user, url="", defaults={"events": EVENTS, "secret": new_sealed_secret()}
        )
        return _usable(endpoint, url=given)
    found = WebhookEndpoint.objects.filter(owner=user, pk=endpoint_id).exclude(url="").first()
    if found is None:
        raise errors.WebhookRefused.at(
            "/webhook", "unknown_endpoint", f"There is no webhook endpoint {endpoint_id} of yours."
        )
    return _usable(found, url="")


def note_webhooks(accepted: Iterable[Accepted]) -> None:
    """Keep the webhooks that came with submissions. Needs the transaction that inserts the tasks."""
    rows = [
        TaskWebhook(task_id=item.id, endpoint_id=item.webhook.endpoint, url=item.webhook.url)
        for item in accepted
        if item.webhook is not None
    ]
    if rows:
        TaskWebhook.objects.bulk_create(rows)


def check_webhook_url(url: str, pointer: str) -> None:
    """Refuse an address that no delivery could go to. The guard looks again at each delivery.

    Raises:
        WebhookRefused: with the pointer.
    """
    try:
        look_up(url)
    except (errors.UrlRefused, errors.FetchFailed) as error:
        raise errors.WebhookRefused.at(pointer, error.code, error.message) from error


@kept(seconds=CHECKED_SECONDS, most=MOST_REMEMBERED)
def look_up(url: str) -> None:
    """Look an address up; that it is good is kept, and never that it is not.

    Raises:
        UrlRefused: no delivery may go there.
        FetchFailed: its name is not found.
    """
    check_url(url, within_seconds=LOOKUP_SECONDS)


def _endpoint_id(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


def _usable(endpoint: WebhookEndpoint, *, url: str) -> Webhook:
    if endpoint.disabled_at is not None:
        raise errors.WebhookRefused.at(
            "/webhook", "endpoint_disabled", f"This webhook is disabled: {endpoint.disabled_reason}"
        )
    return Webhook(endpoint.pk, url)
