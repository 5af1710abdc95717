"""Backends: model servers, their keys, the calls that run on them now, and the calls of the last day."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from tasks.names import LINE, validate_line


class Kind(models.TextChoices):
    CHAT = "chat", gettext_lazy("Chat")
    EMBEDDINGS = "embeddings", gettext_lazy("Embeddings")
    IMAGES = "images", gettext_lazy("Images")
    VISION = "vision", gettext_lazy("Vision")
    SPEECH = "speech", gettext_lazy("Speech")
    HTTP = "http", gettext_lazy("HTTP")


class Strategy(models.TextChoices):
    LEAST_BUSY = "least_busy", gettext_lazy("least busy, by weight")
    ROUND_ROBIN = "round_robin", gettext_lazy("round robin, by weight")
    STICKY = "sticky", gettext_lazy("sticky by user")


class BackendPool(models.Model):
    """How a server is chosen among those of a kind."""

    kind = models.TextField(primary_key=True, choices=Kind.choices)
    strategy = models.TextField(choices=Strategy.choices, db_default=Strategy.LEAST_BUSY.value)

    class Meta:
        db_table = "backend_pool"

    def __str__(self) -> str:
        return self.kind


class Backend(models.Model):
    """One model server. `tasks.backends` writes its health, people the rest.

    The breaker is closed while `open_until` is null, open until then, and half-open from then on: one call may try.
    """

    kind = models.TextField(choices=Kind.choices)
    name = models.TextField(validators=[validate_line])
    base_url = models.TextField(
        gettext_lazy("address"), help_text=gettext_lazy("As http://gpu1:8000/v1; without a key in it.")
    )
    model_names = ArrayField(
        models.TextField(),
        verbose_name=gettext_lazy("models"),
        blank=True,
        default=list,
        db_default=models.Value([], ArrayField(models.TextField())),
        help_text=gettext_lazy("Only these are used; empty: those that the server names itself."),
    )
    weight = models.FloatField(
        db_default=1.0, default=1.0, help_text=gettext_lazy("Its share of the calls, against the others.")
    )
    most_calls = models.IntegerField(
        gettext_lazy("most calls at once"), db_default=4, default=4, help_text=gettext_lazy("Counted across all nodes.")
    )
    enabled = models.BooleanField(db_default=True, default=True)
    # Named by a setting: used by processes whose environment names it, and gone ten minutes after the last one did.
    from_environment = models.BooleanField(db_default=False, editable=False)
    named_at = models.DateTimeField(null=True, editable=False)
    # Whose turn it is with round robin: the lowest goes first.
    turn = models.FloatField(db_default=0.0, editable=False)

    # As the server told at the last check that succeeded; null: it does not tell, or was not asked yet.
    seen_models = ArrayField(models.TextField(), null=True, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    check_seconds = models.FloatField(null=True, editable=False)
    # Since the last success; why the last call or check failed (`ServerFailed.why`, or check).
    failure_count = models.IntegerField(db_default=0, editable=False)
    failing = models.TextField(db_default="", editable=False)
    last_error = models.TextField(db_default="", editable=False)
    last_error_at = models.DateTimeField(null=True, editable=False)
    open_until = models.DateTimeField(null=True, editable=False)
    # It asked to be left alone until then (HTTP status 429, Retry-After).
    rests_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "backend"
        ordering = ["kind", "name"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "base_url"], name="backend_one_per_address"),
            models.CheckConstraint(name="backend_name_line", condition=Q(name__regex=LINE)),
            models.CheckConstraint(name="backend_kind_known", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(name="backend_weight_range", condition=Q(weight__gt=0, weight__lte=1000)),
            models.CheckConstraint(name="backend_most_calls_range", condition=Q(most_calls__range=(1, 10_000))),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class BackendKey(models.Model):
    """A key of a server, sealed (`tasks.secrets`); `ending` tells people which one it is."""

    backend = models.ForeignKey(Backend, models.CASCADE, related_name="keys")
    sealed = models.TextField()
    ending = models.TextField()
    rests_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "backend_key"

    def __str__(self) -> str:
        return f"…{self.ending}"


class BackendLease(models.Model):
    """A call that runs now: one numbered place of its server, held by an attempt and gone with it.

    The places make the limit exact: see docs/decisions on leases and `tasks/sql/backends/lease_backend.sql`.
    """

    id = models.UUIDField(primary_key=True)
    backend = models.ForeignKey(Backend, models.CASCADE, related_name="leases", db_index=False)
    place = models.IntegerField()
    # Not a foreign key: what is deleted with its task is the lease's attempt, and void.
    task_id = models.UUIDField()
    # Of the attempt: a lease whose task does not run under it is void, whoever died meanwhile.
    token = models.UUIDField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "backend_lease"
        constraints = [models.UniqueConstraint(fields=["backend", "place"], name="backend_lease_one_per_place")]

    def __str__(self) -> str:
        return f"place {self.place} of {self.backend_id}"


class BackendCall(models.Model):
    """A call that ended: for the figures of the last hour, and kept for a day."""

    backend = models.ForeignKey(Backend, models.CASCADE, related_name="calls", db_index=False)
    ended_at = models.DateTimeField(db_default=Now())
    seconds = models.FloatField()
    # Empty when it succeeded, else `ServerFailed.why`.
    failure = models.TextField()

    class Meta:
        db_table = "backend_call"
        indexes = [
            models.Index("backend", "ended_at", name="backend_call_recent"),
            models.Index("ended_at", name="backend_call_old"),
        ]

    def __str__(self) -> str:
        return self.failure or "succeeded"
