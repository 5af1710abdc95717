"""What submitting keeps per user: counters against the limits, and the answers to idempotency keys."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Usage(models.Model):
    """A user's counters. Locking this row makes quotas exact under concurrent submits."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="usage")
    # The UTC day that the day counters are of.
    day = models.DateField()
    day_count = models.IntegerField(db_default=0)
    high_count = models.IntegerField(db_default=0)
    urgent_count = models.IntegerField(db_default=0)
    # Theoretical arrival time of the per-minute rate (GCRA, ITU-T I.371).
    burst_at = models.DateTimeField(db_default=Now())
    # Never below the true number of waiting tasks: counted anew only when it would reach the limit.
    waiting_bound = models.IntegerField(db_default=0)

    class Meta:
        db_table = "usage"

    def __str__(self) -> str:
        return f"usage of {self.user_id}"


class IdempotencyKey(models.Model):
    """The first answer to a key, given again for 24 hours."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    task_ids = models.JSONField()
    batch_id = models.UUIDField(null=True)
    # The id of what else it made: a schedule, a token, a file.
    made = models.TextField(db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "idempotency_key"
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_once_per_user")]
        indexes = [models.Index("created_at", name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.key
