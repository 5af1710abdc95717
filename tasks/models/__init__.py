"""The tables. QuerySets here read; only `tasks.lifecycle` and `tasks/sql` write a task's status."""

from tasks.models.alarm import Alarm, AlarmKind, AlarmSettings
from tasks.models.attempt import Attempt, Settlement
from tasks.models.audit import AuditEntry
from tasks.models.backend import Backend, BackendCall, BackendKey, BackendLease, BackendPool
from tasks.models.batch import Batch
from tasks.models.cause import Cause, CauseSum, Failure
from tasks.models.dependency import Dependency
from tasks.models.duty import Duty
from tasks.models.estimate import Estimate, Learning
from tasks.models.event import Event
from tasks.models.file import File
from tasks.models.kept_piece import KeptPiece
from tasks.models.lane import Cluster, Lane
from tasks.models.node import Node, WorkerStack
from tasks.models.notice import Notice
from tasks.models.operation import Operation
from tasks.models.paused_type import PausedType
from tasks.models.queue import Queue
from tasks.models.rollup import Rollup, RollupMark
from tasks.models.saved_view import SavedView
from tasks.models.schedule import Schedule, ScheduleRun
from tasks.models.search_entry import SearchEntry, SearchMark
from tasks.models.share import Share
from tasks.models.submission import IdempotencyKey, Usage
from tasks.models.task import Task, TaskContent
from tasks.models.usage_day import AttemptCount, UsageDay, UsageMark
from tasks.models.webhook import TaskWebhook, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Alarm",
    "AlarmKind",
    "AlarmSettings",
    "Attempt",
    "AttemptCount",
    "AuditEntry",
    "Backend",
    "BackendCall",
    "BackendKey",
    "BackendLease",
    "BackendPool",
    "Batch",
    "Cause",
    "CauseSum",
    "Cluster",
    "Dependency",
    "Duty",
    "Estimate",
    "Event",
    "Failure",
    "File",
    "IdempotencyKey",
    "KeptPiece",
    "Lane",
    "Learning",
    "Node",
    "Notice",
    "Operation",
    "PausedType",
    "Queue",
    "Rollup",
    "RollupMark",
    "SavedView",
    "Schedule",
    "ScheduleRun",
    "SearchEntry",
    "SearchMark",
    "Settlement",
    "Share",
    "Task",
    "TaskContent",
    "TaskWebhook",
    "Usage",
    "UsageDay",
    "UsageMark",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WorkerStack",
]
