"""The tables. QuerySets here read; only `tasks.lifecycle` and `tasks/sql` write a task's status."""

from tasks.models.attempt import Attempt, Settlement
from tasks.models.audit import AuditEntry
from tasks.models.backend import Backend, BackendCall, BackendKey, BackendLease, BackendPool
from tasks.models.batch import Batch
from tasks.models.dependency import Dependency
from tasks.models.duty import Duty
from tasks.models.estimate import Estimate, Learning
from tasks.models.event import Event
from tasks.models.file import File
from tasks.models.lane import Cluster, Lane
from tasks.models.node import Node
from tasks.models.operation import Operation
from tasks.models.queue import Queue
from tasks.models.schedule import Schedule, ScheduleRun
from tasks.models.submission import IdempotencyKey, Usage
from tasks.models.task import Task, TaskContent
from tasks.models.usage_day import AttemptCount, UsageDay, UsageMark
from tasks.models.webhook import TaskWebhook, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Attempt",
    "AttemptCount",
    "AuditEntry",
    "Backend",
    "BackendCall",
    "BackendKey",
    "BackendLease",
    "BackendPool",
    "Batch",
    "Cluster",
    "Dependency",
    "Duty",
    "Estimate",
    "Event",
    "File",
    "IdempotencyKey",
    "Lane",
    "Learning",
    "Node",
    "Operation",
    "Queue",
    "Schedule",
    "ScheduleRun",
    "Settlement",
    "Task",
    "TaskContent",
    "TaskWebhook",
    "Usage",
    "UsageDay",
    "UsageMark",
    "WebhookDelivery",
    "WebhookEndpoint",
]
