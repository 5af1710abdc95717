"""Queues: named lines that task types point at."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from tasks.names import SLUG, validate_slug


class Queue(models.Model):
    """A named line of one cluster; can be paused."""

    name = models.TextField(primary_key=True, validators=[validate_slug])
    title = models.TextField()
    cluster = models.ForeignKey("tasks.Cluster", models.PROTECT, related_name="queues")
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.TextField(blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    # From before names had a rule: let stand, as tasks carry it.
    has_old_name = models.BooleanField(db_default=False, default=False, editable=False)

    class Meta:
        db_table = "queue"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="queue_name_slug", condition=Q(name__regex=SLUG) | Q(has_old_name=True)),
        ]

    def __str__(self) -> str:
        return self.name
