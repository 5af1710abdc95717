"""Causes of failures: what has been seen so far, what operators made of it, and which task failed of which."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from tasks.models.task import Task


class Cause(models.Model):
    """A way in which tasks of a type have failed, and when it was seen first and last (`tasks.figures.causes`)."""

    type = models.TextField()
    code = models.TextField()
    # The message without what differs each time: ids, numbers, paths, addresses.
    fingerprint = models.TextField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    # It was quiet for long and came back, or got worse while it was muted: as good as new.
    reopened_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    # Muted until a moment, or until more tasks fail of it within a day than this.
    muted_until = models.DateTimeField(null=True)
    muted_above = models.IntegerField(null=True)

    class Meta:
        db_table = "cause"
        default_permissions = ()
        verbose_name = "cause of failure"
        constraints = [models.UniqueConstraint(fields=["type", "code", "fingerprint"], name="cause_once")]
        indexes = [
            models.Index(F("first_at").desc(), name="cause_first"),
            models.Index(F("reopened_at").desc(), name="cause_reopened", condition=Q(reopened_at__isnull=False)),
            models.Index("last_at", name="cause_last"),
        ]

    def __str__(self) -> str:
        return f"{self.type}: {self.fingerprint or self.code}"


class Failure(models.Model):
    """Of which cause a task failed last. A task that is retried keeps its row, which counts while the times agree."""

    task = models.OneToOneField(Task, models.CASCADE, primary_key=True, related_name="failure", db_constraint=False)
    cause = models.ForeignKey(Cause, models.CASCADE, related_name="failures", db_index=False, db_constraint=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    # The task's `finished_at`.
    failed_at = models.DateTimeField()

    class Meta:
        db_table = "failure"
        default_permissions = ()
        indexes = [
            models.Index(fields=["cause", "-failed_at"], name="failure_cause", include=["owner"]),
            # To forget old ones.
            BrinIndex(fields=["failed_at"], name="failure_age", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"failure of {self.task_id}"


class CauseSum(models.Model):
    """How many tasks failed of a cause in the quarter of an hour that begins at a moment."""

    cause = models.ForeignKey(Cause, models.CASCADE, related_name="sums", db_index=False, db_constraint=False)
    starts_at = models.DateTimeField()
    tasks = models.IntegerField()

    class Meta:
        db_table = "cause_sum"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["cause", "starts_at"], name="cause_sum_once")]
        indexes = [BrinIndex(fields=["starts_at"], name="cause_sum_age", autosummarize=True)]

    def __str__(self) -> str:
        return f"{self.tasks} of {self.cause_id} from {self.starts_at}"
