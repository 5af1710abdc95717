"""Schedules: what is submitted again and again, when, and what became of each run."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from tasks.measures import duration_text
from tasks.models.ids import new_id
from tasks.rhythm import in_words, place_of


class CatchUp(models.TextChoices):
    """What is done about runs whose time passed while nothing could fire them."""

    ONE = "one", gettext_lazy("one run for any number missed")
    ALL = "all", gettext_lazy("every missed run")
    NONE = "none", gettext_lazy("no missed run")


class Overlap(models.TextChoices):
    """What is done when the task of the run before has not ended."""

    SKIP = "skip", gettext_lazy("leave the run out")
    ALLOW = "allow", gettext_lazy("run beside it")


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    """Named questions about schedules."""

    def of(self, user: User) -> ScheduleQuerySet:
        return self.filter(owner=user)

    def due(self, now: datetime) -> ScheduleQuerySet:
        """At `now` by the database's clock, the longest due first; `next_run_at` of a paused or ended one is null."""
        return self.filter(next_run_at__lte=now).order_by("next_run_at")


class Schedule(models.Model):
    """A submission that is made at times: by `cron` on the wall of `time_zone`, or every `interval_seconds`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="schedules", db_index=False)
    name = models.TextField(db_default="")

    # What is submitted: as in the body of POST /tasks.
    type = models.TextField()
    input = models.JSONField()
    priority = models.SmallIntegerField(null=True)
    timeout_seconds = models.IntegerField(null=True)
    max_attempts = models.SmallIntegerField(null=True)
    metadata = models.JSONField(db_default=models.Value({}, models.JSONField()))
    tags = ArrayField(models.TextField(), db_default=models.Value([], ArrayField(models.TextField())))
    on_quota = models.TextField(db_default="reject")

    # When.
    cron = models.TextField(null=True)
    time_zone = models.TextField(db_default="UTC")
    interval_seconds = models.IntegerField(null=True)
    start_at = models.DateTimeField(null=True)
    end_at = models.DateTimeField(null=True)
    most_runs = models.IntegerField(null=True)
    catch_up = models.TextField(choices=CatchUp.choices, db_default=CatchUp.ONE)
    overlap = models.TextField(choices=Overlap.choices, db_default=Overlap.SKIP)

    # How it stands.
    next_run_at = models.DateTimeField(null=True)
    last_run_at = models.DateTimeField(null=True)
    last_task = models.ForeignKey(
        "tasks.Task", models.SET_NULL, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    last_error = models.JSONField(null=True)
    run_count = models.IntegerField(db_default=0)
    # Refused runs since the last one that was accepted.
    refusal_count = models.IntegerField(db_default=0)
    paused_at = models.DateTimeField(null=True)
    paused_reason = models.TextField(db_default="")
    created_at = models.DateTimeField(db_default=Now())

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        db_table = "schedule"
        constraints = [
            models.CheckConstraint(
                name="schedule_cron_or_interval",
                condition=Q(cron__isnull=False, interval_seconds=None) | Q(cron=None, interval_seconds__isnull=False),
            ),
            models.CheckConstraint(
                name="schedule_paused_has_no_next", condition=Q(paused_at=None) | Q(next_run_at=None)
            ),
        ]
        indexes = [
            models.Index("next_run_at", name="schedule_due", condition=Q(next_run_at__isnull=False)),
            models.Index("owner", F("id").desc(), name="schedule_owner"),
            models.Index("id", name="schedule_refused", condition=Q(refusal_count__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.type} {self.when}"

    @property
    def when(self) -> str:
        """The times in a few words."""
        if self.cron is None:
            return gettext("every {duration}").format(duration=duration_text(self.interval_seconds))
        return f"{in_words(self.cron)} ({place_of(self.time_zone)})"

    @property
    def zone(self) -> str:
        """The time zone that its times are told in; empty: the reader's, as intervals have none."""
        return self.time_zone if self.cron is not None else ""

    @property
    def status(self) -> str:
        """One of active, paused, ended."""
        if self.paused_at is not None:
            return "paused"
        return "active" if self.next_run_at is not None else "ended"


class Outcome(models.TextChoices):
    """What became of a run."""

    SUBMITTED = "submitted", gettext_lazy("submitted")
    REFUSED = "refused", gettext_lazy("refused")
    SKIPPED = "skipped", gettext_lazy("skipped")


class ScheduleRun(models.Model):
    """One time at which a schedule was due, written with its task in one transaction."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="runs", db_index=False)
    # When it was to happen; when it was asked for, of a run by hand.
    due_at = models.DateTimeField()
    by_hand = models.BooleanField(db_default=False)
    outcome = models.TextField(choices=Outcome.choices)
    task = models.ForeignKey(
        "tasks.Task", models.SET_NULL, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    # Why it was refused or skipped: {"code": …, "message": …}.
    error = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "schedule_run"
        constraints = [
            # What fires exactly once is the row of the schedule, locked; this would show a mistake in that.
            models.UniqueConstraint(
                fields=["schedule", "due_at"], condition=Q(by_hand=False), name="schedule_run_once_per_time"
            ),
        ]
        indexes = [
            models.Index("schedule", F("id").desc(), name="schedule_run_list"),
            models.Index("created_at", name="schedule_run_age"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} run of {self.schedule_id} due {datetime.isoformat(self.due_at)}"
