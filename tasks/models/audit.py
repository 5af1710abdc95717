"""The audit log: who did what to whose things."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One action of a person. `details` holds what is needed to understand it later; never content."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    action = models.TextField()
    target_kind = models.TextField()
    target_id = models.TextField()
    details = models.JSONField(db_default=models.Value({}, models.JSONField()))
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "audit_entry"
        verbose_name_plural = "audit entries"
        ordering = ["-id"]
        indexes = [models.Index("target_kind", "target_id", name="audit_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_kind} {self.target_id}"
