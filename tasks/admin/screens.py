"""Says which screen shows which table; called once, when Django has started."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.auth.models import Group

from accounts.models import Plan, User
from tasks.admin.alarms import AlarmScreen, AlarmSettingsScreen
from tasks.admin.audit import AuditScreen
from tasks.admin.backends import BackendScreen
from tasks.admin.batches import BatchScreen
from tasks.admin.files import FileScreen
from tasks.admin.groups import GroupScreen
from tasks.admin.lanes import LaneScreen
from tasks.admin.nodes import NodeScreen
from tasks.admin.operations import OperationScreen
from tasks.admin.plans import PlanScreen
from tasks.admin.queues import QueueScreen
from tasks.admin.schedules import ScheduleScreen
from tasks.admin.tasks import TaskScreen
from tasks.admin.users import UserScreen
from tasks.admin.webhooks import DeliveryScreen, EndpointScreen
from tasks.models import (
    Alarm,
    AlarmSettings,
    AuditEntry,
    Backend,
    Batch,
    File,
    Lane,
    Node,
    Operation,
    Queue,
    Schedule,
    Task,
    WebhookDelivery,
    WebhookEndpoint,
)


def register_screens(site: AdminSite) -> None:
    """Register every screen of ours; `Group` has registered itself with Django's."""
    site.register(Task, TaskScreen)
    site.register(Operation, OperationScreen)
    site.register(Batch, BatchScreen)
    site.register(File, FileScreen)
    site.register(Queue, QueueScreen)
    site.register(Schedule, ScheduleScreen)
    site.register(Node, NodeScreen)
    site.register(Backend, BackendScreen)
    site.register(Lane, LaneScreen)
    site.register(WebhookEndpoint, EndpointScreen)
    site.register(WebhookDelivery, DeliveryScreen)
    site.register(User, UserScreen)
    site.register(Plan, PlanScreen)
    site.register(Alarm, AlarmScreen)
    site.register(AlarmSettings, AlarmSettingsScreen)
    site.register(AuditEntry, AuditScreen)
    site.unregister(Group)
    site.register(Group, GroupScreen)
