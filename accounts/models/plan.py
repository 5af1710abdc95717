"""Plans: the set of limits a user has; and overrides of one limit for one user."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy


class Plan(models.Model):
    """Limits; an empty one means unlimited. Slots are per cluster."""

    name = models.CharField(max_length=50, unique=True)
    is_default = models.BooleanField(default=False, help_text=gettext_lazy("New users get this plan."))
    slots = models.PositiveIntegerField(
        help_text=gettext_lazy("Tasks that may be ready or running at once, per cluster.")
    )
    weight = models.FloatField(
        validators=[MinValueValidator(0.1)], help_text=gettext_lazy("Share of worker time against others.")
    )
    max_waiting = models.PositiveIntegerField(gettext_lazy("most waiting"))
    per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text=gettext_lazy("Submissions; a batch counts once.")
    )
    per_day = models.PositiveIntegerField(null=True, blank=True, help_text=gettext_lazy("Tasks, by UTC day."))
    max_priority = models.PositiveSmallIntegerField(
        gettext_lazy("highest priority"), validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    high_per_day = models.PositiveIntegerField(null=True, blank=True, help_text=gettext_lazy("Tasks of priority 7–8."))
    urgent_per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text=gettext_lazy("Tasks of priority 9–10.")
    )
    longest_timeout = models.PositiveIntegerField(default=3600, help_text=gettext_lazy("Seconds one attempt may take."))
    file_bytes = models.BigIntegerField(
        gettext_lazy("file storage"), default=5 * 1024**3, help_text=gettext_lazy("Bytes of files kept at once.")
    )
    keep_days = models.PositiveIntegerField(help_text=gettext_lazy("Content is purged this long after a task ended."))

    class Meta:
        db_table = "plan"
        ordering = ["slots"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="plan_one_default"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="plan_weight_positive"),
        ]

    def __str__(self) -> str:
        return self.name


class Limit(models.TextChoices):
    """The limits that can be overridden for one user: field names of `Plan`."""

    SLOTS = "slots", gettext_lazy("Slots")
    WEIGHT = "weight", gettext_lazy("Weight")
    MAX_WAITING = "max_waiting", gettext_lazy("most waiting")
    PER_MINUTE = "per_minute", gettext_lazy("per minute")
    PER_DAY = "per_day", gettext_lazy("per day")
    MAX_PRIORITY = "max_priority", gettext_lazy("highest priority")
    HIGH_PER_DAY = "high_per_day", gettext_lazy("high a day")
    URGENT_PER_DAY = "urgent_per_day", gettext_lazy("urgent a day")
    LONGEST_TIMEOUT = "longest_timeout", gettext_lazy("longest timeout")
    FILE_BYTES = "file_bytes", gettext_lazy("file storage")
    KEEP_DAYS = "keep_days", gettext_lazy("days kept")


class PlanOverride(models.Model):
    """One limit changed for one user, with a reason and, usually, an end."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="overrides")
    limit = models.CharField(max_length=20, choices=Limit.choices)
    value = models.FloatField()
    reason = models.CharField(max_length=200)
    ends_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "plan_override"
        constraints = [models.UniqueConstraint(fields=["user", "limit"], name="plan_override_one_per_limit")]

    def __str__(self) -> str:
        return f"{self.get_limit_display()} = {self.value:g} for {self.user}"
