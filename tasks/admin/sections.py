"""The links in the header of every operator's page."""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

# By group: title, the name of its address, the permission to see it.
GROUPS = {
    gettext_lazy("Work"): [
        (gettext_lazy("Charts"), "admin:charts", "tasks.view_task"),
        (gettext_lazy("Tasks"), "admin:tasks_task_changelist", "tasks.view_task"),
        (gettext_lazy("Failures"), "admin:failures", "tasks.view_task"),
        (gettext_lazy("Batches"), "admin:tasks_batch_changelist", "tasks.view_batch"),
        (gettext_lazy("Schedules"), "admin:tasks_schedule_changelist", "tasks.view_schedule"),
        (gettext_lazy("Operations"), "admin:tasks_operation_changelist", "tasks.view_operation"),
        (gettext_lazy("Files"), "admin:tasks_file_changelist", "tasks.view_file"),
    ],
    gettext_lazy("Capacity"): [
        (gettext_lazy("Queues"), "admin:tasks_queue_changelist", "tasks.view_queue"),
        (gettext_lazy("Task types"), "admin:types", "tasks.view_task"),
        (gettext_lazy("Nodes"), "admin:tasks_node_changelist", "tasks.view_node"),
        (gettext_lazy("Backends"), "admin:tasks_backend_changelist", "tasks.view_backend"),
        (gettext_lazy("Lanes"), "admin:tasks_lane_changelist", "tasks.view_lane"),
    ],
    gettext_lazy("People"): [
        (gettext_lazy("Users"), "admin:accounts_user_changelist", "accounts.view_user"),
        (gettext_lazy("Plans"), "admin:accounts_plan_changelist", "accounts.view_plan"),
        (gettext_lazy("Groups"), "admin:auth_group_changelist", "auth.view_group"),
    ],
    gettext_lazy("System"): [
        (gettext_lazy("Alarms"), "admin:tasks_alarm_changelist", "tasks.view_alarm"),
        (gettext_lazy("Webhooks"), "admin:tasks_webhookendpoint_changelist", "tasks.view_webhookendpoint"),
        (gettext_lazy("Deliveries"), "admin:tasks_webhookdelivery_changelist", "tasks.view_webhookdelivery"),
        (gettext_lazy("Audit"), "admin:tasks_auditentry_changelist", "tasks.view_auditentry"),
    ],
}


class Section(NamedTuple):
    title: str
    url: str
    is_current: bool


class SectionGroup(NamedTuple):
    """Sections that belong together; `current` is the one that the page is in."""

    title: str
    sections: list[Section]

    @property
    def current(self) -> Section | None:
        return next((section for section in self.sections if section.is_current), None)


def overview(request: HttpRequest) -> Section:
    """Return the first of the sections, which is in no group and open to everybody who may come in."""
    url = reverse("admin:index")
    return Section(gettext("Overview"), url, request.path == url)


def section_groups(request: HttpRequest) -> list[SectionGroup]:
    """Return the sections that this person may open, by group."""
    found = []
    for group, members in GROUPS.items():
        allowed = [_section(request, str(title), name) for title, name, may in members if request.user.has_perm(may)]
        if allowed:
            found.append(SectionGroup(str(group), allowed))
    return found


def _section(request: HttpRequest, title: str, name: str) -> Section:
    url = reverse(name)
    return Section(title, url, request.path.startswith(url))
