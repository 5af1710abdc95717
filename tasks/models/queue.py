"""Queues: named lines that task types point at."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Queue(models.Model):
    """A named line of one cluster; can be paused."""

    name = models.TextField(primary_key=True)
    title = models.TextField()
    cluster = models.ForeignKey("tasks.Cluster", models.PROTECT, related_name="queues")
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.TextField(blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "queue"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
