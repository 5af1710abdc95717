"""Duties: when each part of the upkeep was last taken, by whichever node."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy


class Duty(models.Model):
    """`tasks.cluster.maintenance` takes a duty by moving `taken_at`; nobody holds a lock while it runs."""

    name = models.TextField(primary_key=True)
    every_seconds = models.FloatField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "duty"
        verbose_name_plural = gettext_lazy("duties")

    def __str__(self) -> str:
        return self.name
