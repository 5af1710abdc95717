"""The links in the header of every operator's page."""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse

# Title, the name of its address, the permission to see it.
SECTIONS = [
    ("Overview", "admin:index", None),
    ("Tasks", "admin:tasks_task_changelist", "tasks.view_task"),
    ("Failures", "admin:failures", "tasks.view_task"),
    ("Operations", "admin:tasks_operation_changelist", "tasks.view_operation"),
    ("Batches", "admin:tasks_batch_changelist", "tasks.view_batch"),
    ("Schedules", "admin:tasks_schedule_changelist", "tasks.view_schedule"),
    ("Files", "admin:tasks_file_changelist", "tasks.view_file"),
    ("Queues", "admin:tasks_queue_changelist", "tasks.view_queue"),
    ("Nodes", "admin:tasks_node_changelist", "tasks.view_node"),
    ("Backends", "admin:tasks_backend_changelist", "tasks.view_backend"),
    ("Lanes", "admin:tasks_lane_changelist", "tasks.view_lane"),
    ("Webhooks", "admin:tasks_webhookendpoint_changelist", "tasks.view_webhookendpoint"),
    ("Users", "admin:accounts_user_changelist", "accounts.view_user"),
    ("Plans", "admin:accounts_plan_changelist", "accounts.view_plan"),
    ("Groups", "admin:auth_group_changelist", "auth.view_group"),
    ("Audit", "admin:tasks_auditentry_changelist", "tasks.view_auditentry"),
]


class Section(NamedTuple):
    title: str
    url: str
    is_current: bool


def sections(request: HttpRequest) -> list[Section]:
    """Return the sections this person may open, marking the one that the page is in."""
    index = reverse("admin:index")
    found = []
    for title, name, permission in SECTIONS:
        if permission is None or request.user.has_perm(permission):
            url = reverse(name)
            is_current = request.path == index if url == index else request.path.startswith(url)
            found.append(Section(title, url, is_current))
    return found
