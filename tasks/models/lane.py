"""Lanes and clusters: the counters of fairness. See docs/architecture.md and `tasks/sql/lifecycle/fill.sql`."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from tasks.names import SLUG, validate_slug


class Cluster(models.Model):
    """A django-q2 cluster name and its virtual clock."""

    name = models.TextField(primary_key=True, validators=[validate_slug])
    vclock = models.FloatField(db_default=0.0)
    # Seconds of virtual time that one level of priority is worth; follows workers ÷ Σ weights.
    warp = models.FloatField(db_default=5.0)
    # No ready task has a lower rank, but for a second: keeps claims off the dead head of the index.
    low_rank = models.FloatField(db_default=-1e300)
    # As of queues.
    has_old_name = models.BooleanField(db_default=False, default=False, editable=False)

    class Meta:
        db_table = "cluster"
        constraints = [
            models.CheckConstraint(name="cluster_name_slug", condition=Q(name__regex=SLUG) | Q(has_old_name=True)),
        ]

    def __str__(self) -> str:
        return self.name


class Lane(models.Model):
    """One user's own line in one cluster. `taken` counts ready and running tasks, never more than `slots`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="lanes")
    cluster = models.ForeignKey(Cluster, models.PROTECT, related_name="lanes")
    slots = models.IntegerField()
    weight = models.FloatField()
    taken = models.IntegerField(db_default=0)
    # Virtual time at which the lane's last ready task is expected to end.
    vfinish = models.FloatField(db_default=0.0)
    # No held task of an open queue has a lower `line_key`, but for half a minute: keeps fill off the dead head of
    # the index.
    low_key = models.FloatField(db_default=-1e300)

    class Meta:
        db_table = "lane"
        constraints = [
            models.UniqueConstraint(fields=["user", "cluster"], name="lane_one_per_user_and_cluster"),
            models.CheckConstraint(name="lane_taken_not_negative", condition=Q(taken__gte=0)),
            models.CheckConstraint(name="lane_weight_positive", condition=Q(weight__gt=0)),
        ]

    def __str__(self) -> str:
        return f"lane of {self.user_id} in {self.cluster_id}"

    @property
    def free(self) -> int:
        return max(0, self.slots - self.taken)
