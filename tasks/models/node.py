"""Nodes: running `qcluster` process trees and their heartbeat."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from tasks.models.ids import new_id

# An older heartbeat does not count: screens and explanations take the node for gone.
HEARTBEAT_SECONDS = 15


class NodeStatus(models.TextChoices):
    """`lost` and `stopped` are final: a node that wakes up after being declared lost ends itself."""

    ALIVE = "alive", gettext_lazy("Alive")
    DRAINING = "draining", gettext_lazy("Draining")
    STOPPED = "stopped", gettext_lazy("Stopped")
    LOST = "lost", gettext_lazy("Lost")


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
    # Of each worker, beside its own work; 0 of nodes of an earlier version, which do not tell.
    threads = models.IntegerField(db_default=0, default=0)
    # Whether its TASK_FUNCTIONS allows any; of an earlier version it is taken for granted.
    runs_functions = models.BooleanField(db_default=True)
    # [{"pid", "task", "since_seconds", "thread"}], as of the last heartbeat; of a lost node, what it ran then.
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

    @property
    def busy_workers(self) -> int:
        """How many of its processes run something, by the last heartbeat: each may run several tasks in threads."""
        return len({run.get("pid") for run in self.running})

    @property
    def in_threads(self) -> int:
        """How many tasks run in threads."""
        return sum(bool(run.get("thread")) for run in self.running)


class WorkerStack(models.Model):
    """Where a worker's threads were when an operator asked: files, lines and names of functions, never a value.

    The operator's process writes the question, the worker's node the answer (`tasks.cluster.stacks`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Without a constraint: rows of nodes go by themselves (`tasks.lifecycle.purge`).
    node = models.ForeignKey(Node, models.DO_NOTHING, related_name="stacks", db_index=False, db_constraint=False)
    pid = models.IntegerField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)
    # One of them is empty: what the worker wrote, or why there is nothing.
    text = models.TextField(db_default="")
    error = models.TextField(db_default="")

    class Meta:
        db_table = "worker_stack"
        default_permissions = ()
        indexes = [
            models.Index("node", F("id").desc(), name="worker_stack_node"),
            models.Index("asked_at", name="worker_stack_age"),
        ]

    def __str__(self) -> str:
        return f"stack of worker {self.pid}"
