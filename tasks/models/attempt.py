"""Attempts: finished executions, each recorded once by its token; and what is still owed for them."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from tasks.models.task import Task


class Outcome(models.TextChoices):
    """How an attempt ended."""

    SUCCEEDED = "succeeded", gettext_lazy("Succeeded")
    FAILED = "failed", gettext_lazy("Failed")
    TIMED_OUT = "timed_out", gettext_lazy("Timed out")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")
    SNOOZED = "snoozed", gettext_lazy("Snoozed")
    BUSY = "busy", gettext_lazy("Model servers busy")
    UNREACHABLE = "unreachable", gettext_lazy("No model server answered")
    DIED = "died", gettext_lazy("Worker died")
    LOST = "lost", gettext_lazy("Node lost")
    RETURNED = "returned", gettext_lazy("Went back")
    STARTED_OTHERS = "started_others", gettext_lazy("Started other tasks")


# What counts as a failure, in every figure; statements take it as a parameter.
FAILING: tuple[str, ...] = tuple(
    outcome.value for outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.DIED, Outcome.LOST)
)


class Attempt(models.Model):
    """One execution of a task by one worker, written when it has ended."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="attempts")
    number = models.IntegerField()
    token = models.UUIDField(unique=True)
    outcome = models.TextField(choices=Outcome.choices)
    charged = models.BooleanField()
    error = models.JSONField(null=True)
    traceback = models.TextField(db_default="")
    node = models.ForeignKey("tasks.Node", models.PROTECT, null=True, db_index=False, db_constraint=False)
    worker_pid = models.IntegerField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "attempt"
        ordering = ["number"]
        # Rows come in order of time and are not changed, so the smallest of indexes serves "the last hour".
        indexes = [BrinIndex(fields=["finished_at"], name="attempt_finished", autosummarize=True, pages_per_range=16)]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.task_id}"

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()


class Settlement(models.Model):
    """A slot to give back and time to charge. Whoever deletes the row does it; so it happens exactly once."""

    token = models.UUIDField(primary_key=True)
    task_id = models.UUIDField()
    lane = models.ForeignKey("tasks.Lane", models.PROTECT, db_index=False, db_constraint=False)
    # Actual less estimated worker time, divided by the lane's weight; may be negative.
    charge_seconds = models.FloatField()
    # 0 for a task that ended without having a slot: then only its dependents are to be looked at.
    slots = models.SmallIntegerField(db_default=1)
    has_dependents = models.BooleanField(db_default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "settlement"
        indexes = [models.Index("created_at", name="settlement_age")]

    def __str__(self) -> str:
        return f"settlement of {self.task_id}"
