"""Webhooks: endpoints that hear of ended tasks, the deliveries to them, and which task has a webhook of its own."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from tasks.models.ids import new_id
from tasks.statuses import TERMINAL, Status

# A task's way to each of its ends, and what `…/test` sends.
EVENTS = [f"task.{status}" for status in Status if status in TERMINAL]
TEST_EVENT = "webhook.test"


def host_text(url: str) -> str:
    """Return what others than the owner may see of an address: the rest may be as good as a password.

    >>> host_text("https://hooks.example.com/T0/secret")
    'https://hooks.example.com/…'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


class WebhookEndpoint(models.Model):
    """An address that a user's events are posted to.

    The one with an empty `url` stands for all addresses that come with submissions: its secret signs those.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="webhook_endpoints")
    url = models.TextField(blank=True)
    description = models.TextField(blank=True, db_default="")
    events = ArrayField(models.TextField())
    # Sealed (`tasks.secrets`): they sign, so they must be read again.
    secret = models.TextField()
    previous_secret = models.TextField(db_default="")
    previous_until = models.DateTimeField(null=True)
    # How many tries may be under way: more after quick answers, fewer after slow ones (`tasks.webhooks.delivery`).
    at_once = models.SmallIntegerField(db_default=2)
    # Since when every try has failed; null after a success.
    failing_since = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.TextField(db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "webhook_endpoint"
        permissions = [("operate_webhooks", "Can redeliver webhooks")]
        constraints = [
            models.UniqueConstraint(fields=["owner"], condition=Q(url=""), name="webhook_endpoint_one_for_submissions"),
            models.CheckConstraint(
                name="webhook_endpoint_disabled_with_reason", condition=Q(disabled_at=None) | ~Q(disabled_reason="")
            ),
        ]
        indexes = [
            models.Index("failing_since", name="webhook_endpoint_failing", condition=Q(failing_since__isnull=False)),
        ]

    def __str__(self) -> str:
        return host_text(self.url) if self.url else "addresses given with submissions"


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", gettext_lazy("Pending")
    SUCCEEDED = "succeeded", gettext_lazy("Succeeded")
    FAILED = "failed", gettext_lazy("Failed")


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint. Each try is a task of the type webhook.deliver in the system's lane."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, db_index=False, db_constraint=False)
    # Without constraints: announcing happens under lane locks, and must not wait for who deletes an endpoint.
    endpoint = models.ForeignKey(
        WebhookEndpoint, models.DO_NOTHING, related_name="deliveries", db_index=False, db_constraint=False
    )
    url = models.TextField()
    event = models.TextField()
    # Null for a test.
    task_id = models.UUIDField(null=True)
    task_version = models.IntegerField(null=True)
    # {"type", "timestamp", "data": {…}}: what is posted, the same at every try.
    payload = models.JSONField()
    status = models.TextField(choices=DeliveryStatus.choices, db_default=DeliveryStatus.PENDING)
    # {"at", "seconds", "http_status", "error", "task"}, oldest first.
    tries = models.JSONField(db_default=models.Value([], models.JSONField()))
    # How many tries of this round have failed; a redelivery begins another round.
    failures = models.SmallIntegerField(db_default=0)
    next_try_at = models.DateTimeField(null=True, db_default=Now())
    give_up_at = models.DateTimeField()
    # The task that makes the try which is under way.
    trying_task_id = models.UUIDField(null=True)
    error = models.TextField(db_default="")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "webhook_delivery"
        verbose_name_plural = gettext_lazy("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["task_id", "task_version", "endpoint"], name="webhook_delivery_once"),
            models.CheckConstraint(
                name="webhook_delivery_pending_has_next",
                condition=(Q(status=DeliveryStatus.PENDING) & Q(next_try_at__isnull=False) & Q(finished_at=None))
                | (~Q(status=DeliveryStatus.PENDING) & Q(next_try_at=None) & Q(finished_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="webhook_delivery_tried_while_pending",
                condition=Q(trying_task_id=None) | Q(status=DeliveryStatus.PENDING),
            ),
        ]
        indexes = [
            models.Index("owner", F("id").desc(), name="webhook_delivery_owner"),
            models.Index("endpoint", F("id").desc(), name="webhook_delivery_endpoint"),
            models.Index(
                "endpoint",
                "next_try_at",
                name="webhook_delivery_due",
                condition=Q(status=DeliveryStatus.PENDING, trying_task_id=None),
            ),
            models.Index(
                "endpoint",
                "trying_task_id",
                name="webhook_delivery_trying",
                condition=Q(trying_task_id__isnull=False),
            ),
            models.Index("finished_at", name="webhook_delivery_over", condition=Q(finished_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {host_text(self.url)}"


class TaskWebhook(models.Model):
    """The webhook that came with a task's submission. `url` is empty where an endpoint was named."""

    task_id = models.UUIDField(primary_key=True)
    endpoint = models.ForeignKey(WebhookEndpoint, models.DO_NOTHING, db_index=False, db_constraint=False)
    url = models.TextField()

    class Meta:
        db_table = "task_webhook"

    def __str__(self) -> str:
        return f"webhook of {self.task_id}"
