"""What tasks used: by user, UTC day and type, and of all users by outcome; rolled up by `tasks.figures.usage`."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class UsageDay(models.Model):
    """Attempts that ended on one day. `failed` counts failed, timed out, died and lost ones."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    type = models.TextField()
    attempts = models.IntegerField(db_default=0)
    succeeded = models.IntegerField(db_default=0)
    failed = models.IntegerField(db_default=0)
    cancelled = models.IntegerField(db_default=0)
    worker_seconds = models.FloatField(db_default=0.0)
    prompt_tokens = models.BigIntegerField(db_default=0)
    completion_tokens = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "usage_day"
        constraints = [models.UniqueConstraint(fields=["owner", "day", "type"], name="usage_day_once")]

    def __str__(self) -> str:
        return f"usage of {self.owner_id} on {self.day}: {self.type}"


class AttemptCount(models.Model):
    """Attempts of a type that ended in one way, since the table is there, for counters: it only rises."""

    type = models.TextField()
    outcome = models.TextField()
    attempts = models.BigIntegerField(db_default=0)
    seconds = models.FloatField(db_default=0.0)

    class Meta:
        db_table = "attempt_count"
        constraints = [models.UniqueConstraint(fields=["type", "outcome"], name="attempt_count_once")]

    def __str__(self) -> str:
        return f"{self.attempts} of {self.type} {self.outcome}"


class UsageMark(models.Model):
    """How far the rolling up has come: the one row. Later attempts are counted when somebody asks."""

    counted_until = models.DateTimeField()

    class Meta:
        db_table = "usage_mark"

    def __str__(self) -> str:
        return f"usage counted until {self.counted_until}"
