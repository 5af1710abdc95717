"""The tables. QuerySets here read; only `tasks.lifecycle` and `tasks/sql` write a task's status."""

from tasks.models.attempt import Attempt, Settlement
from tasks.models.audit import AuditEntry
from tasks.models.batch import Batch
from tasks.models.duty import Duty
from tasks.models.event import Event
from tasks.models.file import File
from tasks.models.lane import Cluster, Lane
from tasks.models.node import Node
from tasks.models.queue import Queue
from tasks.models.submission import IdempotencyKey, Usage
from tasks.models.task import Task, TaskContent

__all__ = [
    "Attempt",
    "AuditEntry",
    "Batch",
    "Cluster",
    "Duty",
    "Event",
    "File",
    "IdempotencyKey",
    "Lane",
    "Node",
    "Queue",
    "Settlement",
    "Task",
    "TaskContent",
    "Usage",
]
