"""What tasks are found by: their words beside them, filled in behind what happens to them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F


class SearchEntry(models.Model):
    """One task's text, and its words as `tasks.search.words` has them, behind the owner and a span of time.

    It goes with the content by the constraint in the database: nothing that was purged is ever found.
    """

    task = models.OneToOneField(
        "tasks.TaskContent", models.DO_NOTHING, primary_key=True, related_name="search_entry", db_constraint=False
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, db_index=False, db_constraint=False)
    # It was read when the task had succeeded: nothing is to come.
    has_result = models.BooleanField()
    # What it is called by stands before the first form feed.
    text = models.TextField()
    words = SearchVectorField()

    class Meta:
        db_table = "search_entry"
        indexes = [
            models.Index("owner", F("task").desc(), name="search_entry_owner"),
            # A list of what is pending would be read by every search, once for each span of time.
            GinIndex(fields=["words"], name="search_entry_words", fastupdate=False),
        ]

    def __str__(self) -> str:
        return f"words of {self.task_id}"


class SearchMark(models.Model):
    """How far tasks and ends have been looked at, and where the walk through all of them is. One row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    tasks_until = models.UUIDField()
    attempts_until = models.BigIntegerField()
    # It goes from the newest to the oldest, behind this id; null: it rests until the time comes to begin again.
    walk = models.UUIDField(null=True)
    walk_at = models.DateTimeField()

    class Meta:
        db_table = "search_mark"

    def __str__(self) -> str:
        return f"looked until {self.tasks_until}"
