"""Operations: one action on many tasks, carried out in the background at a pace."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from tasks.models.ids import new_id
from tasks.names import SLUG, validate_slug


class OperationStatus(models.TextChoices):
    """`cancelled` stops where it is: what is done stays done."""

    RUNNING = "running", gettext_lazy("Running")
    PAUSED = "paused", gettext_lazy("Paused")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")
    FINISHED = "finished", gettext_lazy("Finished")


STOPPED = frozenset({OperationStatus.CANCELLED, OperationStatus.FINISHED})


class Operation(models.Model):
    """Who wanted what done to which tasks, and how far it is.

    `cursor` is the id of the last task that was looked at; it moves in the transaction that does what it covers.
    Tasks after `last_id` came later than the wish. `done` = `changed` + `skipped` + `failed`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.TextField(validators=[validate_slug])
    status = models.TextField(choices=OperationStatus.choices, db_default=OperationStatus.RUNNING)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # Only this user's tasks, at the expense of their quota; None for operators.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="operations")
    # A `tasks.operations.task_filter.TaskFilter`.
    filter = models.JSONField()
    to_queue = models.TextField(db_default="")
    to_priority = models.SmallIntegerField(null=True)

    cursor = models.UUIDField()
    last_id = models.UUIDField()
    total = models.IntegerField()
    done = models.IntegerField(db_default=0)
    changed = models.IntegerField(db_default=0)
    skipped = models.IntegerField(db_default=0)
    failed = models.IntegerField(db_default=0)
    # Why tasks were left alone, with how many: {"message": count}.
    reasons = models.JSONField(db_default=models.Value({}, models.JSONField()))

    # Tasks a second, and up to when the allowance is used up.
    pace = models.IntegerField()
    paced_at = models.DateTimeField(db_default=Now())
    trouble_count = models.SmallIntegerField(db_default=0)
    error = models.TextField(db_default="")

    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "operation"
        constraints = [
            models.CheckConstraint(name="operation_kind_slug", condition=Q(kind__regex=SLUG)),
            models.CheckConstraint(name="operation_status_known", condition=Q(status__in=OperationStatus.values)),
            models.CheckConstraint(name="operation_has_filter", condition=~Q(filter={})),
            models.CheckConstraint(name="operation_pace_positive", condition=Q(pace__gte=1)),
            models.CheckConstraint(
                name="operation_counts_add_up",
                condition=Q(done=models.F("changed") + models.F("skipped") + models.F("failed")),
            ),
            models.CheckConstraint(
                name="operation_has_goal",
                condition=~(Q(kind="move") & Q(to_queue="")) & ~(Q(kind="set_priority") & Q(to_priority=None)),
            ),
            models.CheckConstraint(
                name="operation_stopped_has_end",
                condition=(Q(status__in=STOPPED) & Q(finished_at__isnull=False))
                | (~Q(status__in=STOPPED) & Q(finished_at=None)),
            ),
        ]
        indexes = [
            models.Index("paced_at", name="operation_running", condition=Q(status=OperationStatus.RUNNING)),
            models.Index("id", name="operation_paused", condition=Q(status=OperationStatus.PAUSED)),
        ]

    def __str__(self) -> str:
        kind = self.kind.replace("_", " ").capitalize()
        return f"{kind} of {self.total:,} {'task' if self.total == 1 else 'tasks'}"

    @property
    def is_over(self) -> bool:
        return self.status in STOPPED
