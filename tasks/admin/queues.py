"""Queues: how much waits in each and since when; pause and resume."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.acting import ActingScreen
from tasks.admin.charts import drawing, last_hour
from tasks.admin.formats import moment
from tasks.admin.live_list import LiveListScreen
from tasks.admin.screen import AuditedScreen
from tasks.figures.depths import queue_depths
from tasks.lifecycle.pause import pause_queue, resume_queue
from tasks.measures import NOTHING
from tasks.models import Queue
from tasks.operations.action import Action
from tasks.operations.task_filter import TaskFilter
from tasks.ui.badge import status_badge
from tasks.ui.sentences import in_language

PERMISSION = "tasks.change_queue"
FIXED = gettext_lazy(
    "The name and the cluster of a queue cannot be changed later, and it cannot be deleted: its tasks carry both."
)
INSTEAD = gettext_lazy(
    "Instead, add another one, move what waits in this one there, and pause this one. The title may change."
)
PAUSE = Action(
    name="pause",
    label=gettext_lazy("Pause"),
    title=gettext_lazy("Pause the queue {it}"),
    done=gettext_lazy("The queue {it} is paused."),
    permission=PERMISSION,
    text=gettext_lazy(
        "What runs goes on; nothing new starts until the queue is opened again. Users see that it is paused."
    ),
    form=frozenset({"reason"}),
    reason_label=gettext_lazy("Reason, for the audit log and other operators"),
    act=lambda queue, by, choice: pause_queue(queue.pk, by=by, reason=choice.reason),
)
RESUME = Action(
    name="resume",
    label=gettext_lazy("Open"),
    title=gettext_lazy("Open the queue {it} again"),
    done=gettext_lazy("The queue {it} is open."),
    text=gettext_lazy("Its tasks start as workers are free."),
    permission=PERMISSION,
    act=lambda queue, by, _choice: resume_queue(queue.pk, by=by),
)


class DepthChangeList(ChangeList):
    """Reads all depths at once; a column is asked for one row at a time."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        depths, trends = queue_depths(), last_hour("queue")
        for row in rows:
            row.depth, row.trend = depths[row.pk], trends.get(row.pk)
        self.result_list = rows


class QueueScreen(LiveListScreen[Queue], ActingScreen[Queue], AuditedScreen[Queue]):
    """A queue's name and cluster are fixed once it is made: tasks carry both."""

    list_display = ("name", "title", "cluster", "standing", "held", "ready", "running", "oldest", "hour")
    sortable_by = ()
    fields = ("name", "title", "cluster", "paused_at", "paused_reason", "created_at")
    actions = None
    row_actions = (PAUSE, RESUME)
    tasks_place = "queue"
    live_page = "queues"
    formfield_overrides = {models.TextField: {"widget": AdminTextInputWidget}}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DepthChangeList

    def actions_for(self, row: Queue) -> Iterable[Action]:
        return [RESUME if row.paused_at else PAUSE]

    def get_fieldsets(self, request: HttpRequest, obj: Queue | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("name", "title", "cluster"), "description": FIXED})]
        return [(None, {"fields": self.fields, "description": f"{FIXED} {INSTEAD}"})]

    def get_readonly_fields(self, request: HttpRequest, obj: Queue | None = None) -> tuple[str, ...]:
        return ("name", "cluster", "paused_at", "paused_reason", "created_at") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        return False

    def tasks_of(self, rows: Sequence[Queue]) -> TaskFilter:
        return TaskFilter(queue=rows[0].pk)

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("status"))
    def standing(self, queue: Queue) -> SafeString:
        if queue.paused_at is None:
            return status_badge("open")
        since = format_html(gettext("since {time}"), time=moment(queue.paused_at))
        note = format_html("{} · {}", queue.paused_reason, since) if queue.paused_reason else since
        return format_html('{}<br><span class="muted small">{}</span>', status_badge("paused"), note)

    @admin.display(description=gettext_lazy("held"))
    def held(self, queue: Any) -> str:
        return str(queue.depth.held_text)

    @admin.display(description=gettext_lazy("ready"))
    def ready(self, queue: Any) -> str:
        return str(queue.depth.ready_text)

    @admin.display(description=gettext_lazy("running"))
    def running(self, queue: Any) -> SafeString | str:
        if not queue.depth.running:
            return str(queue.depth.running_text)
        tasks = reverse("admin:tasks_task_changelist", query={"queue": queue.pk, "status": "running"})
        return format_html('<a href="{}">{}</a>', tasks, queue.depth.running_text)

    @admin.display(description=gettext_lazy("last hour"))
    def hour(self, queue: Any) -> SafeString | str:
        if queue.trend is None:
            return NOTHING
        charts = reverse("admin:charts", query={"period": "hour", "queue": queue.pk})
        return format_html('<a href="{}">{}</a>', charts, drawing(queue.trend, gettext("last hour")))

    @admin.display(description=gettext_lazy("oldest waits"))
    def oldest(self, queue: Any) -> str:
        return in_language(queue.depth.oldest_text)
