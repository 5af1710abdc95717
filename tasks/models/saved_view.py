"""Filters of the list of tasks under a name, each user's own."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """`query` is the part of the list's address that filters; `place` says which list: `search.saved_views.Place`."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    place = models.TextField(blank=True, db_default="", default="")
    name = models.TextField()
    query = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "saved_view"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "place", "name"], name="saved_view_place_name")]

    def __str__(self) -> str:
        return self.name
