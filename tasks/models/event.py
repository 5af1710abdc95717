"""Events: what a running task says (progress, log, output), kept in order for streams and pages."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy


class EventKind(models.TextChoices):
    PROGRESS = "progress", gettext_lazy("Progress")
    LOG = "log", gettext_lazy("Log")
    OUTPUT = "output", gettext_lazy("Output")


class Event(models.Model):
    """`data` is {"fraction", "stage"}, {"text"} or {"text"}, by kind."""

    task = models.ForeignKey("tasks.Task", models.CASCADE, related_name="events", db_index=False)
    attempt = models.IntegerField()
    kind = models.TextField(choices=EventKind.choices)
    data = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "event"
        indexes = [models.Index("task", "id", name="event_task")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.task_id}"
