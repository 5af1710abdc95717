"""Attempts in sums: how many ended in each span of time, how long they waited and ran; see `tasks.figures.roll_up`."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField, BigIntegerRangeField
from django.db import models
from django.db.models import Q, Value


def _histogram() -> ArrayField[list[int], list[int]]:
    # What each place stands for: `tasks.figures.histogram`. The places behind the last count are left out.
    return ArrayField(models.IntegerField(), db_default=Value([], ArrayField(models.IntegerField())))


class Rollup(models.Model):
    """Attempts of one queue, type and outcome that ended within `seconds` of a moment: of one user, or of all of them.

    Every attempt is counted once in each width that there is (`tasks.figures.roll_up.KEPT`).
    """

    # Null: of everybody.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", db_index=False)
    seconds = models.IntegerField()
    starts_at = models.DateTimeField()
    queue = models.TextField()
    type = models.TextField()
    outcome = models.TextField()
    attempts = models.IntegerField()
    run_seconds = models.FloatField()
    run_histogram = _histogram()
    # Only first attempts waited for their turn; later ones for a time of their own.
    waits = models.IntegerField()
    wait_seconds = models.FloatField()
    wait_histogram = _histogram()

    class Meta:
        db_table = "rollup"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["seconds", "owner", "starts_at", "queue", "type", "outcome"],
                name="rollup_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index("seconds", "starts_at", name="rollup_own_age", condition=Q(owner__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.attempts} of {self.type} {self.outcome} in {self.seconds} s from {self.starts_at}"


class RollupMark(models.Model):
    """Which attempts are counted: the one row. Ids from `counted_from` to `counted_to`, both not less, but for gaps.

    Transactions commit in another order than they take their ids, so an id that was not there yet is looked for again:
    those of `gaps` until they have been older ones for a while.
    """

    counted_to = models.BigIntegerField()
    # What is before it is of before this table, and counted step by step, the newest first; 0: nothing is left.
    counted_from = models.BigIntegerField()
    # When the first attempt ended that is counted; null once nothing is left.
    counted_since = models.DateTimeField(null=True)
    gaps = ArrayField(BigIntegerRangeField(), db_default=Value([], ArrayField(BigIntegerRangeField())))
    older_gaps = ArrayField(BigIntegerRangeField(), db_default=Value([], ArrayField(BigIntegerRangeField())))
    gaps_since = models.DateTimeField()

    class Meta:
        db_table = "rollup_mark"
        default_permissions = ()

    def __str__(self) -> str:
        return f"attempts {self.counted_from} to {self.counted_to} are counted"
