"""Alarms: when something needed a person, what counts as that, who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.core.validators import EmailValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class AlarmKind(models.TextChoices):
    """What may need a person; the order is that of the overview."""

    NO_WORKERS = "no_workers", gettext_lazy("no workers")
    LOST_NODE = "lost_node", gettext_lazy("node lost or silent")
    BACKEND = "backend", gettext_lazy("model server down")
    DATABASE = "database", gettext_lazy("database")
    DISK = "disk", gettext_lazy("disk")
    FAILURE_RATE = "failure_rate", gettext_lazy("failure rate")
    NEW_CAUSE = "new_cause", gettext_lazy("new cause of failure")
    OLDEST_WAIT = "oldest_wait", gettext_lazy("long wait")
    WEBHOOK = "webhook", gettext_lazy("webhook failing")
    SCHEDULE = "schedule", gettext_lazy("schedule refused")
    OPERATION = "operation", gettext_lazy("operation paused")
    PAUSED = "paused", gettext_lazy("paused or drained by an operator")


def _percent(help_text: StrPromise, default: int) -> models.IntegerField[int, int]:
    return models.IntegerField(
        db_default=default, default=default, help_text=help_text,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )  # fmt: skip


def _number(help_text: StrPromise, default: int, *, most: int, least: int = 1) -> models.IntegerField[int, int]:
    return models.IntegerField(
        db_default=default, default=default, help_text=help_text,
        validators=[MinValueValidator(least), MaxValueValidator(most)],
    )  # fmt: skip


def paused_only() -> list[str]:
    return [AlarmKind.PAUSED.value]


class AlarmSettings(models.Model):
    """What counts as an alarm, and who is told of it: the one row."""

    oldest_wait_minutes = _number(
        gettext_lazy("Alarm when the oldest task of an open queue has waited for longer."), 15, most=10_080
    )
    failure_percent = _percent(
        gettext_lazy("Alarm when so many attempts of a task type failed in the last 15 minutes."), 20
    )
    failure_least = _number(gettext_lazy("But only from so many failed attempts on."), 5, most=1_000_000)
    new_cause_hours = _number(
        gettext_lazy("A cause of failure that was never seen before is an alarm for so long; 0: never."),
        24, most=720, least=0,
    )  # fmt: skip
    disk_free_percent = _percent(gettext_lazy("Alarm when less of the disk of files is free."), 10)
    connections_percent = _percent(
        gettext_lazy("Alarm when more of the connections that the database allows are in use."), 80
    )
    transaction_minutes = _number(
        gettext_lazy("Alarm when a transaction in the database has been open for longer: it slows down everybody."),
        10, most=10_080,
    )  # fmt: skip
    # Who is told.
    tell_after_seconds = _number(
        gettext_lazy("An alarm that is over sooner is told to nobody."), 60, most=86_400, least=0
    )
    mail_to = ArrayField(
        models.TextField(validators=[EmailValidator()]),
        verbose_name=gettext_lazy("e-mail to"), blank=True, default=list,
        db_default=Value([], ArrayField(models.TextField())),
    )  # fmt: skip
    # An endpoint of the system's own account: signed, tried for three days, listed with its tries like all others.
    endpoint = models.ForeignKey(
        "tasks.WebhookEndpoint", models.SET_NULL, null=True, editable=False, related_name="+",
        db_index=False, db_constraint=False,
    )  # fmt: skip
    # Operators know what they have paused themselves.
    not_told = ArrayField(
        models.TextField(choices=AlarmKind.choices), blank=True, default=paused_only,
        db_default=Value([AlarmKind.PAUSED.value], ArrayField(models.TextField())),
    )  # fmt: skip
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    urgent_always = models.BooleanField(db_default=True, default=True)
    portal_url = models.TextField(gettext_lazy("address of the portal"), blank=True, db_default="")
    # Causes seen before are not new; failures up to then have been noted.
    causes_since = models.DateTimeField(db_default=Now(), editable=False)
    failures_noted_until = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "alarm_settings"
        default_permissions = ("view", "change")
        verbose_name = gettext_lazy("alarm settings")
        verbose_name_plural = gettext_lazy("alarm settings")
        constraints = [
            models.CheckConstraint(name="alarm_settings_one", condition=Q(pk=1)),
            models.CheckConstraint(
                name="alarm_settings_quiet_both",
                condition=Q(quiet_from=None, quiet_until=None) | Q(quiet_from__isnull=False, quiet_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return "alarm settings"


class Alarm(models.Model):
    """A time in which something needed a person. Each beginning and each end is told once, with its row's change."""

    kind = models.TextField(choices=AlarmKind.choices)
    # What it is about, within its kind: the name or id of a queue, node, cause …
    about = models.TextField()
    text = models.TextField()
    path = models.TextField()
    is_bad = models.BooleanField()
    began_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    end_told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "alarm"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["kind", "about"], condition=Q(ended_at=None), name="alarm_one_at_a_time"),
            models.CheckConstraint(name="alarm_end_told_after_begin", condition=Q(end_told_at=None) | ~Q(told_at=None)),
        ]
        indexes = [
            models.Index(F("id"), name="alarm_end_to_tell", condition=Q(end_told_at=None, told_at__isnull=False)),
            models.Index("ended_at", name="alarm_over", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.text
