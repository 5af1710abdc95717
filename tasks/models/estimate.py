"""Estimates: how long tasks of a type and input size take, learned from what they took."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Estimate(models.Model):
    """One task type and size bucket. `recent` are the last times in seconds, oldest first; the rest follows from it."""

    type = models.TextField()
    # Power of two of the input's KiB, files included, or of its work in seconds (`tasks.lifecycle.fit.bucket_of`).
    size_bucket = models.SmallIntegerField()
    recent = ArrayField(models.FloatField())
    # Trimmed mean, median and 90th percentile of `recent`.
    seconds = models.FloatField()
    p50_seconds = models.FloatField()
    p90_seconds = models.FloatField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "estimate"
        constraints = [models.UniqueConstraint(fields=["type", "size_bucket"], name="estimate_one_per_bucket")]

    def __str__(self) -> str:
        return f"{self.type} ({self.size_bucket}): {self.seconds:.3g} s"


class Learning(models.Model):
    """How far learning has read: the one row."""

    last_attempt = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "learning"

    def __str__(self) -> str:
        return f"learned up to attempt {self.last_attempt}"
