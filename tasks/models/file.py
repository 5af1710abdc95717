"""Files: uploaded inputs and saved results. The bytes are in Django storage, the facts here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from tasks.models.ids import new_id


def storage_path(file: Any, _name: str) -> str:
    """Return ``files/ab/<id>``: no user-given name ever reaches the storage."""
    return f"files/{file.id.hex[-2:]}/{file.id}"


class File(models.Model):
    """A stored file. `content_type` is what its first bytes say, not what the sender said."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="files", db_index=False)
    # The task that made it; null for an upload.
    task = models.ForeignKey("tasks.Task", models.SET_NULL, null=True, related_name="files")
    name = models.TextField()
    size = models.BigIntegerField()
    content_type = models.TextField()
    sha256 = models.CharField(max_length=64)
    data = models.FileField(upload_to=storage_path, max_length=200)
    # Its task's content is gone, and so is it as soon as `tasks.lifecycle.purge` comes to it.
    is_leftover = models.BooleanField(db_default=False, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    # Its owner's own words.
    tags = ArrayField(models.TextField(), db_default=models.Value([], ArrayField(models.TextField())))

    class Meta:
        db_table = "file"
        indexes = [
            models.Index("owner", F("id").desc(), name="file_owner"),
            models.Index(fields=["owner", "sha256"], name="file_content"),
            models.Index("id", name="file_leftover", condition=Q(is_leftover=True)),
        ]

    def __str__(self) -> str:
        return self.name
