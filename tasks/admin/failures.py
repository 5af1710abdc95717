"""Failures: what failed lately, grouped by cause, so that one broken thing is one line and not a thousand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from tasks import sql
from tasks.admin.filters import PERIODS
from tasks.admin.task_actions import ask_for_all, posted_action
from tasks.figures.bounded import bounded_queries
from tasks.operations.bulk_action import bulk_actions
from tasks.operations.task_filter import HEAD_LENGTH, TaskFilter
from tasks.statuses import Status

CAP = 50_000
MOST_GROUPS = 100


class FailureGroup(NamedTuple):
    """What broke in one way: whose tasks, since when, and one of them to look at."""

    type: str
    code: str
    head: str
    tasks: int
    users: int
    first_at: datetime
    last_at: datetime
    sample: UUID


class FailuresView:
    """Two pages of the admin site that belong to no one table."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def page(self, request: HttpRequest) -> HttpResponse:
        """Show the groups of the chosen period."""
        if not request.user.has_perm("tasks.view_task"):
            raise PermissionDenied
        period = _period(request.GET.get("period"))
        with bounded_queries():
            hours = PERIODS[period][1].total_seconds() / 3600
            given = {"hours": int(hours), "head": HEAD_LENGTH, "cap": CAP, "groups": MOST_GROUPS}
            groups = sql.run("figures/failure_groups", given, row=FailureGroup)
        context = self.site.each_context(request) | {
            "title": "Failures",
            "groups": groups,
            "total": sum(group.tasks for group in groups),
            "cap": CAP,
            "period": period,
            "periods": [(name, label) for name, (label, _age) in PERIODS.items()],
            "actions": [action for action in bulk_actions("failures") if request.user.has_perm(action.permission)],
        }
        return TemplateResponse(request, "admin/failures.html", context)

    def act(self, request: HttpRequest, verb: str) -> HttpResponse:
        """Ask before something is done to the tasks of one group."""
        action = posted_action(request, verb, place="failures")
        if action is None:
            return HttpResponseNotAllowed(["POST"])
        period = _period(request.POST.get("period"))
        back = f"{reverse('admin:failures')}?{urlencode({'period': period})}"
        return ask_for_all(request, action, _group(request.POST, period), back=back)


def _period(name: str | None) -> str:
    return name if name in PERIODS else "day"


def _group(posted: Any, period: str) -> TaskFilter:
    """Return the failed tasks of one line of the page."""
    given = {name: posted.get(name, "").replace("\0", "") for name in ("type", "code", "head")}
    return TaskFilter(
        statuses=(Status.FAILED,),
        type=given["type"],
        error_code=given["code"],
        error_head=given["head"],
        ended_after=timezone.now() - PERIODS[period][1],
    )
