"""The audit log: who did what to whose things."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

NOT_OF_OPERATION = ~Q(details__has_key="operation")


class AuditEntry(models.Model):
    """One action of a person. `details` holds what is needed to understand it later; never content."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    action = models.TextField()
    target_kind = models.TextField()
    target_id = models.TextField()
    details = models.JSONField(db_default=models.Value({}, models.JSONField()))
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "audit_entry"
        verbose_name_plural = gettext_lazy("audit entries")
        ordering = ["-id"]
        indexes = [
            models.Index("target_kind", "target_id", name="audit_target"),
            models.Index("actor", F("id").desc(), name="audit_actor"),
            # What an operation did to each of its tasks is many entries, and left out of the list at first.
            models.Index(F("id").desc(), name="audit_not_of_operation", condition=NOT_OF_OPERATION),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_kind} {self.target_id}"
