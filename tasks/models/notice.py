"""Notices: a person wants a mail when a task, or a batch, has ended."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Notice(models.Model):
    """The wish to be told of one end. What was told stays for a day: by it mails to one person keep their distance."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    # Without constraints: nobody who ends or deletes tasks waits for these rows.
    task_id = models.UUIDField(null=True)
    batch_id = models.UUIDField(null=True)
    # Only what did not succeed is told.
    only_failed = models.BooleanField()
    # Where the person reaches the portal, as their browser says it: nodes know no addresses.
    origin = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    # When it was last found unfinished; written only where more wait than are looked at in one go.
    checked_at = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notice"
        constraints = [
            models.UniqueConstraint(fields=["task_id"], condition=Q(task_id__isnull=False), name="notice_task_once"),
            models.UniqueConstraint(fields=["batch_id"], condition=Q(batch_id__isnull=False), name="notice_batch_once"),
            models.CheckConstraint(
                name="notice_of_one",
                condition=Q(task_id__isnull=False, batch_id=None) | Q(task_id=None, batch_id__isnull=False),
            ),
        ]
        indexes = [
            models.Index("checked_at", "id", name="notice_open", condition=Q(told_at=None)),
            models.Index("owner", name="notice_owner"),
            models.Index("told_at", name="notice_told", condition=Q(told_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"notice of {self.task_id or self.batch_id}"
