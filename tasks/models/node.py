"""Nodes: running `qcluster` process trees and their heartbeat."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

# An older heartbeat does not count: screens and explanations take the node for gone.
HEARTBEAT_SECONDS = 15


class NodeStatus(models.TextChoices):
    """`lost` and `stopped` are final: a node that wakes up after being declared lost ends itself."""

    ALIVE = "alive"
    DRAINING = "draining"
    STOPPED = "stopped"
    LOST = "lost"


class Node(models.Model):
    """One running `qcluster`. `beat` only rises; observers watch it change, no clocks are compared."""

    id = models.UUIDField(primary_key=True)
    name = models.TextField()
    cluster = models.ForeignKey("tasks.Cluster", models.PROTECT, related_name="nodes")
    host = models.TextField()
    pid = models.IntegerField()
    version = models.TextField()
    status = models.TextField(choices=NodeStatus.choices, db_default=NodeStatus.ALIVE.value)
    beat = models.BigIntegerField(db_default=0)
    heartbeat_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(db_default=Now())
    stopped_at = models.DateTimeField(null=True)
    workers = models.IntegerField()
    # Whether its TASK_FUNCTIONS allows any; of an earlier version it is taken for granted.
    runs_functions = models.BooleanField(db_default=True)
    # [{"pid", "task", "since_seconds"}], as of the last heartbeat.
    running = models.JSONField(db_default=models.Value([], models.JSONField()))
    cpu_percent = models.FloatField(null=True)
    memory_percent = models.FloatField(null=True)
    throttled = models.BooleanField(db_default=False)

    class Meta:
        db_table = "node"
        ordering = ["-started_at"]
        indexes = [models.Index("cluster", "status", name="node_cluster_status")]

    def __str__(self) -> str:
        return f"{self.name} ({self.host}:{self.pid})"
