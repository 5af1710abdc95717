"""The task: a narrow hot row, and its content (input, result, metadata) in a side table.

Every move of a task writes its row anew, so what never changes or is large lives in `TaskContent`.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Now

from accounts.models import User
from tasks.models.ids import new_id
from tasks.statuses import NOT_STARTED, TERMINAL, Status, entity_tag, shown_status


def text_of_error(name: str) -> Coalesce:
    """Return a text of a task's error, as in `failed_since.sql`; empty where there is none."""
    return Coalesce(KT(f"error__{name}"), Value(""), output_field=models.TextField())


class TaskQuerySet(models.QuerySet["Task"]):
    """Named questions about tasks."""

    def of(self, user: User) -> TaskQuerySet:
        return self.filter(owner=user)

    def shown_as(self, words: list[str]) -> TaskQuerySet:
        """Filter by the words of `statuses.SHOWN`; several are joined by *or*."""
        match = Q(pk__in=[])
        for word in words:
            if word == "queued":
                match |= Q(status__in=[Status.HELD, Status.READY])
            elif word == "running":
                match |= Q(status=Status.RUNNING, cancel_requested_at=None)
            elif word == "cancelling":
                match |= Q(status=Status.RUNNING, cancel_requested_at__isnull=False)
            else:
                match |= Q(status=word)
        return self.filter(match)

    def failed_of(self, cause: int) -> TaskQuerySet:
        """Filter by the cause of a failure: that of the last one, and only until the task is retried."""
        return self.filter(status=Status.FAILED, failure__cause=cause, finished_at=F("failure__failed_at"))

    def with_content(self) -> TaskQuerySet:
        """Read what tasks were given too, but not their results, which may have megabytes."""
        return self.select_related("content").defer("content__result")

    def unfinished(self) -> TaskQuerySet:
        return self.exclude(status__in=TERMINAL)

    def ended(self) -> TaskQuerySet:
        return self.filter(status__in=TERMINAL)


class Task(models.Model):
    """One submitted unit of work. Times are the database's; durations are seconds."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="tasks", db_index=False)
    type = models.TextField()
    queue = models.ForeignKey("tasks.Queue", models.PROTECT, db_index=False, db_constraint=False)
    lane = models.ForeignKey("tasks.Lane", models.PROTECT, db_index=False, db_constraint=False)
    batch = models.ForeignKey(
        "tasks.Batch", models.PROTECT, null=True, db_index=False, db_constraint=False, related_name="tasks"
    )
    copy_of = models.UUIDField(null=True)
    # The task whose handler started this one.
    started_by = models.UUIDField(null=True)
    cluster = models.TextField()
    status = models.TextField(choices=Status.choices)
    version = models.IntegerField(db_default=1)

    priority = models.SmallIntegerField()
    priority_requested = models.SmallIntegerField()
    priority_reason = models.TextField(db_default="")

    # Place in the lane: submission time less what the priority is worth; epoch seconds.
    line_key = models.FloatField()
    # Place in the shared line: seconds of the cluster's virtual time.
    rank = models.FloatField(null=True)
    vstart = models.FloatField(null=True)
    est_seconds = models.FloatField()
    size_bucket = models.SmallIntegerField(db_default=0)
    # The input by content (files by their sha256), for answering the same work from an earlier result.
    input_hash = models.UUIDField(null=True)
    # Its handler mostly waits for somebody else: it runs in a thread beside others.
    waits = models.BooleanField(db_default=False)
    # It was lost together with others, so it is claimed alone until it is clear who brings workers down.
    alone = models.BooleanField(db_default=False)
    # Other tasks wait, or waited, for this one.
    has_dependents = models.BooleanField(db_default=False)
    # What the lane was charged in advance (est ÷ weight); settled against the actual time.
    charged_seconds = models.FloatField(db_default=0.0)

    token = models.UUIDField(null=True)
    node = models.ForeignKey("tasks.Node", models.PROTECT, null=True, db_index=False, db_constraint=False)
    worker_pid = models.IntegerField(null=True)
    attempt_number = models.IntegerField(db_default=0)
    attempts_charged = models.SmallIntegerField(db_default=0)
    max_attempts = models.SmallIntegerField()
    timeout_seconds = models.IntegerField()
    # How long the content is kept once the task has ended; from the plan at submission.
    keep_days = models.IntegerField()
    # Instead, where the submission says so.
    keep_seconds = models.IntegerField(null=True)

    progress_fraction = models.FloatField(null=True)
    progress_stage = models.TextField(db_default="")
    error = models.JSONField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancelled_by = models.BigIntegerField(null=True)

    run_after = models.DateTimeField(null=True)
    start_before = models.DateTimeField(null=True)
    keep_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        db_table = "task"
        permissions = [
            ("view_task_content", "Can view the input and result of tasks"),
            ("operate_tasks", "Can retry and cancel tasks"),
        ]
        constraints = [
            models.CheckConstraint(name="task_status_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="task_priority_range", condition=Q(priority__range=(1, 10))),
            models.CheckConstraint(
                name="task_running_has_token",
                condition=(Q(status=Status.RUNNING) & Q(token__isnull=False) & Q(node__isnull=False))
                | (~Q(status=Status.RUNNING) & Q(token__isnull=True)),
            ),
            models.CheckConstraint(
                name="task_ready_has_rank", condition=~Q(status=Status.READY) | Q(rank__isnull=False)
            ),
            models.CheckConstraint(
                name="task_terminal_has_end",
                condition=(Q(status__in=TERMINAL) & Q(finished_at__isnull=False))
                | (~Q(status__in=TERMINAL) & Q(finished_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index("cluster", "rank", "id", name="task_ready", condition=Q(status=Status.READY)),
            models.Index("lane", "queue", "line_key", "id", name="task_held", condition=Q(status=Status.HELD)),
            models.Index("node", name="task_running", condition=Q(status=Status.RUNNING)),
            models.Index("run_after", name="task_scheduled", condition=Q(status=Status.SCHEDULED)),
            # Only to count them.
            models.Index("queue", name="task_waiting", condition=Q(status=Status.WAITING)),
            models.Index(
                "start_before", name="task_expiring", condition=Q(status__in=NOT_STARTED, start_before__isnull=False)
            ),
            models.Index(
                "cancel_requested_at",
                name="task_cancelling",
                condition=Q(cancel_requested_at__isnull=False) & ~Q(status__in=TERMINAL),
            ),
            models.Index("keep_until", name="task_terminal", condition=Q(status__in=TERMINAL)),
            models.Index("owner", F("id").desc(), name="task_owner"),
            # Of the lists, which show a batch as one row and what was started with its starter.
            models.Index(
                "owner",
                F("id").desc(),
                name="task_owner_alone",
                condition=Q(batch__isnull=True, started_by__isnull=True),
            ),
            models.Index("owner", F("id").desc(), name="task_owner_unstarted", condition=Q(status__in=NOT_STARTED)),
            models.Index("lane", "rank", name="task_lane_ready", condition=Q(status=Status.READY)),
            models.Index("started_by", name="task_started_by", condition=Q(started_by__isnull=False)),
            models.Index(
                "owner",
                "type",
                "input_hash",
                name="task_same_work",
                condition=Q(status=Status.SUCCEEDED, input_hash__isnull=False),
            ),
            models.Index("batch", "id", name="task_batch_list", condition=Q(batch__isnull=False)),
            # Lists of failures, everybody's and one's own; a task that does not fail never touches them.
            models.Index(F("finished_at").desc(), name="task_failed", condition=Q(status=Status.FAILED)),
            # Of the lists; a task that succeeds touches only the one of its owner and type.
            models.Index(
                "owner",
                F("id").desc(),
                name="task_owner_unsuccessful",
                condition=Q(status__in=[Status.FAILED, Status.CANCELLED, Status.EXPIRED]),
            ),
            models.Index(
                F("id").desc(),
                name="task_unsuccessful",
                condition=Q(status__in=[Status.FAILED, Status.CANCELLED, Status.EXPIRED]),
            ),
            models.Index("owner", "type", F("id").desc(), name="task_owner_type", condition=Q(status__in=TERMINAL)),
            models.Index(F("id").desc(), name="task_unstarted", condition=Q(status__in=NOT_STARTED)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"

    @property
    def shown_status(self) -> str:
        return shown_status(self.status, self.cancel_requested_at)

    @property
    def done(self) -> bool:
        return self.status in TERMINAL

    @property
    def attempts_counted(self) -> int:
        """How many attempts count against the limit; the running one, which is charged when it ends, included."""
        return self.attempts_charged + (self.status == Status.RUNNING)

    @property
    def etag(self) -> str:
        return entity_tag(self.version, self.shown_status, self.attempt_number)


class TaskContent(models.Model):
    """What a task was given and what came of it. Deleting the row leaves the task as a tombstone."""

    task = models.OneToOneField(Task, models.CASCADE, primary_key=True, related_name="content")
    input = models.JSONField()
    result = models.JSONField(null=True)
    engine = models.JSONField(null=True)
    usage = models.JSONField(db_default=models.Value({}, models.JSONField()))
    metadata = models.JSONField(db_default=models.Value({}, models.JSONField()))
    tags = ArrayField(models.TextField(), db_default=models.Value([], ArrayField(models.TextField())))
    # Tasks that it needs or comes after, as submitted.
    needs = ArrayField(models.UUIDField(), db_default=models.Value([], ArrayField(models.UUIDField())))
    # What its owner calls it; empty: by its files, or the beginning of its text (`tasks.ui.subject`).
    name = models.TextField(db_default="")
    # The span that submitted it, where traces are on (W3C Trace Context).
    traceparent = models.TextField(null=True)

    class Meta:
        db_table = "task_content"
        indexes = [
            GinIndex(fields=["metadata"], name="task_content_metadata", opclasses=["jsonb_path_ops"]),
            GinIndex(fields=["tags"], name="task_content_tags"),
        ]

    def __str__(self) -> str:
        return f"content of {self.task_id}"
