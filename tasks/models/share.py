"""Shares: read-only links to results, each with a secret of which only the digest is kept."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from tasks.models.ids import new_id


class ShareQuerySet(models.QuerySet["Share"]):
    def alive(self) -> ShareQuerySet:
        """Neither taken back nor over, and of an active user."""
        return self.filter(expires_at__gt=Now(), revoked_at=None, owner__is_active=True)


class Share(models.Model):
    """Whoever has the link sees the result of one task, until the link is over or taken back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    # Without a constraint: it would lock the row of the task.
    task = models.ForeignKey("tasks.Task", models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    # To about a minute.
    opened_at = models.DateTimeField(null=True)

    objects = ShareQuerySet.as_manager()

    class Meta:
        db_table = "share"
        indexes = [
            models.Index("owner", F("id").desc(), name="share_owner", condition=Q(revoked_at=None)),
            models.Index("task", name="share_task"),
            models.Index("expires_at", name="share_over"),
        ]

    def __str__(self) -> str:
        return f"share of {self.task_id}"
