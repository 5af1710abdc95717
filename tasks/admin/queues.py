"""Queues: how much waits in each and since when; pause and resume."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from tasks.admin.acting import ActingScreen, has_address, require_permission
from tasks.admin.addresses import action_path
from tasks.admin.formats import link_button, moment
from tasks.admin.screen import AuditedScreen
from tasks.admin.task_actions import ask_for_all
from tasks.figures.depths import Depth, queue_depths
from tasks.lifecycle.pause import pause_queue, resume_queue
from tasks.measures import NOTHING, duration_text
from tasks.models import Queue
from tasks.operations.action import Action
from tasks.operations.bulk_action import BulkAction, bulk_actions
from tasks.operations.task_filter import TaskFilter
from tasks.ui.badge import status_badge

PERMISSION = "tasks.change_queue"
PAUSE = Action(
    name="pause",
    label=gettext_lazy("Pause"),
    title=gettext_lazy("Pause the queue {it}"),
    text=gettext_lazy(
        "What runs goes on; nothing new starts until the queue is opened again. Users see that it is paused."
    ),
    done=gettext_lazy("The queue {it} is paused."),
    permission=PERMISSION,
    form=frozenset({"reason"}),
    reason_label=gettext_lazy("Reason, for the audit log and other operators"),
    act=lambda queue, by, choice: pause_queue(queue.pk, by=by, reason=choice.reason),
)
RESUME = Action(
    name="resume",
    label=gettext_lazy("Open"),
    title=gettext_lazy("Open the queue {it} again"),
    text=gettext_lazy("Its tasks start as workers are free."),
    done=gettext_lazy("The queue {it} is open."),
    permission=PERMISSION,
    act=lambda queue, by, _choice: resume_queue(queue.pk, by=by),
)


class DepthChangeList(ChangeList):
    """Reads all depths at once; a column is asked for one row at a time."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        depths = queue_depths()
        for row in rows:
            row.depth = depths.get(row.pk, Depth())
        self.result_list = rows


class QueueScreen(ActingScreen[Queue], AuditedScreen[Queue]):
    """A queue's name and cluster are fixed once it is made: tasks carry both."""

    list_display = ("name", "title", "cluster", "standing", "held", "ready", "running", "oldest")
    sortable_by = ()
    fields = ("name", "title", "cluster", "paused_at", "paused_reason", "created_at")
    actions = None
    row_actions = (PAUSE, RESUME)
    formfield_overrides = {models.TextField: {"widget": AdminTextInputWidget}}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DepthChangeList

    def get_list_display(self, request: HttpRequest) -> Any:
        offered = [action for action in bulk_actions("queue") if request.user.has_perm(action.permission)]

        @admin.display(description="")
        def act_on_tasks(queue: Queue) -> SafeString:
            return format_html('<div class="row">{}</div>', _task_buttons(queue, offered))

        shown = super().get_list_display(request)
        return (*shown, act_on_tasks) if offered else shown

    def actions_for(self, row: Queue) -> Iterable[Action]:
        return [RESUME if row.paused_at else PAUSE]

    def get_fields(self, request: HttpRequest, obj: Queue | None = None) -> tuple[str, ...]:
        return self.fields if obj else ("name", "title", "cluster")

    def get_readonly_fields(self, request: HttpRequest, obj: Queue | None = None) -> tuple[str, ...]:
        return ("name", "cluster", "paused_at", "paused_reason", "created_at") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        ask = self.admin_site.admin_view(self.ask_for_tasks)
        return [
            action_path("<str:name>/{action}/", ask, place="queue", name="tasks_queue_act"),
            *super().get_urls(),
        ]

    def ask_for_tasks(self, request: HttpRequest, name: str, action: BulkAction) -> HttpResponse:
        """Ask before something is done to all that waits in the queue."""
        require_permission(request, action)
        queue = self.get_object(request, unquote(name))
        if queue is None:
            raise Http404("There is no such queue.")
        return ask_for_all(request, action, TaskFilter(queue=queue.pk), back=self.address(queue))

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description="status")
    def standing(self, queue: Queue) -> SafeString:
        if queue.paused_at is None:
            return status_badge("open")
        note = f"{queue.paused_reason} · since " if queue.paused_reason else "since "
        return format_html(
            '{}<br><span class="muted small">{}{}</span>', status_badge("paused"), note, moment(queue.paused_at)
        )

    @admin.display(description="held")
    def held(self, queue: Any) -> str:
        return str(queue.depth.held_text)

    @admin.display(description="ready")
    def ready(self, queue: Any) -> str:
        return str(queue.depth.ready_text)

    @admin.display(description="running")
    def running(self, queue: Any) -> SafeString | str:
        if not queue.depth.running:
            return "0"
        tasks = reverse("admin:tasks_task_changelist", query={"queue": queue.pk, "status": "running"})
        return format_html('<a href="{}">{}</a>', tasks, queue.depth.running_text)

    @admin.display(description="oldest waits")
    def oldest(self, queue: Any) -> str:
        seconds = queue.depth.oldest_seconds
        return duration_text(seconds) if seconds is not None else NOTHING


def _task_buttons(queue: Queue, actions: Iterable[BulkAction]) -> SafeString:
    if not has_address(queue):
        return SafeString("")
    links = (
        (reverse("admin:tasks_queue_act", args=[quote(queue.pk), action]), action.for_all_label) for action in actions
    )
    return format_html_join(" ", "{}", ((link_button(url, f"{label}…"),) for url, label in links))
