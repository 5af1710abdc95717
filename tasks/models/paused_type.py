"""Task types of which nothing starts, as an operator paused them."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class PausedType(models.Model):
    """There is a row while the type is paused, in every queue; its app may not be installed any more."""

    type = models.TextField(primary_key=True)
    reason = models.TextField(db_default="")
    paused_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "paused_type"
        default_permissions = ()
        ordering = ["type"]

    def __str__(self) -> str:
        return self.type
