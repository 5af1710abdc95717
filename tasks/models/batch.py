"""Batches: tasks submitted together and watched as one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from tasks.models.ids import new_id


class Batch(models.Model):
    """Tasks submitted together."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="batches", db_index=False)
    name = models.TextField(blank=True, db_default="")
    # Item by item, in the order given: {"id": …} or {"problem": {…}}.
    items = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    # Set while unfinished tasks are still to be cancelled; `tasks.lifecycle.cancel_batch` goes on until there are none.
    cancel_wanted_at = models.DateTimeField(null=True)
    cancelled_by = models.BigIntegerField(null=True)

    class Meta:
        db_table = "batch"
        verbose_name_plural = gettext_lazy("batches")
        indexes = [
            models.Index("owner", F("id").desc(), name="batch_owner"),
            models.Index("cancel_wanted_at", name="batch_to_cancel", condition=Q(cancel_wanted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)
