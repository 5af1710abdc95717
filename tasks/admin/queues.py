"""Queues: how much waits in each and since when; pause and resume."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tasks.admin.access import operator_of
from tasks.admin.bulk_actions import PERMISSION as OPERATE
from tasks.admin.bulk_actions import PURGE, VERBS, Verb
from tasks.admin.confirm import Question, confirm_page
from tasks.admin.formats import link_button, moment
from tasks.admin.screen import AuditedScreen
from tasks.admin.task_actions import ask_for_all, require_permission
from tasks.errors import NotFound
from tasks.figures.depths import Depth, queue_depths
from tasks.lifecycle.pause import pause_queue, resume_queue
from tasks.measures import NOTHING, duration_text
from tasks.models import Queue
from tasks.operations.task_filter import TaskFilter
from tasks.ui.badge import status_badge

PERMISSION = "tasks.change_queue"
MOST_REASON = 200


class DepthChangeList(ChangeList):
    """Reads all depths at once; a column is asked for one row at a time."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        depths = queue_depths()
        for row in rows:
            row.depth = depths.get(row.pk, Depth())
        self.result_list = rows


class QueueScreen(AuditedScreen[Queue]):
    """A queue's name and cluster are fixed once it is made: tasks carry both."""

    list_display = ("name", "title", "cluster", "standing", "held", "ready", "running", "oldest")
    sortable_by = ()
    fields = ("name", "title", "cluster", "paused_at", "paused_reason", "created_at")
    actions = None
    formfield_overrides = {models.TextField: {"widget": AdminTextInputWidget}}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DepthChangeList

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        shown: tuple[str, ...] = self.list_display
        if request.user.has_perm(PERMISSION):
            shown += ("act",)
        return (*shown, "act_on_tasks") if request.user.has_perm(OPERATE) else shown

    def get_fields(self, request: HttpRequest, obj: Queue | None = None) -> tuple[str, ...]:
        return self.fields if obj else ("name", "title", "cluster")

    def get_readonly_fields(self, request: HttpRequest, obj: Queue | None = None) -> tuple[str, ...]:
        return ("name", "cluster", "paused_at", "paused_reason", "created_at") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<str:name>/pause/", wrap(_named(self.pause)), name="tasks_queue_pause"),
            path("<str:name>/resume/", wrap(_named(self.resume)), name="tasks_queue_resume"),
            path("<str:name>/purge/", wrap(_named(self.purge)), name="tasks_queue_purge"),
            path("<str:name>/move/", wrap(_named(self.move)), name="tasks_queue_move"),
            *super().get_urls(),
        ]

    def pause(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask for the reason, then pause."""
        question = Question(
            title=f"Pause the queue {name}?",
            text="What runs goes on; nothing new starts until the queue is opened again. Users see that it is paused.",
            button="Pause",
            back=_list(),
            reason_label="Reason, for the audit log and other operators",
        )
        return self._change(request, name, question)

    def resume(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask, then open the queue again."""
        question = Question(
            title=f"Open the queue {name} again?",
            text="Its tasks start as workers are free.",
            button="Open",
            back=_list(),
        )
        return self._change(request, name, question)

    def purge(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask before all that waits in the queue is cancelled."""
        return self._ask_for_tasks(request, PURGE, name)

    def move(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask where all that waits in the queue is to go."""
        return self._ask_for_tasks(request, VERBS["move"], name)

    def _ask_for_tasks(self, request: HttpRequest, verb: Verb, name: str) -> HttpResponse:
        require_permission(request)
        if not Queue.objects.filter(pk=name).exists():
            raise Http404(f"There is no queue {name}.")
        return ask_for_all(request, verb, TaskFilter(queue=name), back=_list())

    def _change(self, request: HttpRequest, name: str, question: Question) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied("You may look at queues, but not pause or open them.")
        if not Queue.objects.filter(pk=name).exists():
            raise Http404(f"There is no queue {name}.")
        if request.method != "POST":
            return confirm_page(request, question)
        try:
            if question.reason_label:
                reason = request.POST.get("reason", "").strip()[:MOST_REASON]
                pause_queue(name, by=operator_of(request), reason=reason)
                messages.success(request, f"The queue {name} is paused.")
            else:
                resume_queue(name, by=operator_of(request))
                messages.success(request, f"The queue {name} is open.")
        except NotFound as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(_list())

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
        return f"{queue.depth.ready:,}"

    @admin.display(description="running")
    def running(self, queue: Any) -> SafeString | str:
        if not queue.depth.running:
            return "0"
        tasks = reverse("admin:tasks_task_changelist", query={"queue": queue.pk, "status": "running"})
        return format_html('<a href="{}">{}</a>', tasks, f"{queue.depth.running:,}")

    @admin.display(description="oldest waits")
    def oldest(self, queue: Any) -> str:
        seconds = queue.depth.oldest_seconds
        return duration_text(seconds) if seconds is not None else NOTHING

    @admin.display(description="")
    def act(self, queue: Queue) -> SafeString:
        verb, label = ("resume", "Open") if queue.paused_at else ("pause", "Pause…")
        return _buttons(queue, (verb, label))

    @admin.display(description="")
    def act_on_tasks(self, queue: Queue) -> SafeString:
        return format_html('<div class="row">{}</div>', _buttons(queue, ("move", "Move tasks…"), ("purge", "Purge…")))


def _buttons(queue: Queue, *verbs: tuple[str, str]) -> SafeString:
    """Draw buttons. Their addresses hold any old name, quoted as Django's admin does, but those without an address."""
    if queue.pk in {"", ".", ".."}:
        return SafeString("")
    name = quote(queue.pk)
    buttons = ((link_button(reverse(f"admin:tasks_queue_{verb}", args=[name]), label),) for verb, label in verbs)
    return format_html_join(" ", "{}", buttons)


def _named(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give a view the queue's name as it is, not as it stands in the address."""

    @wraps(view)
    def view_of_name(request: HttpRequest, name: str) -> HttpResponse:
        return view(request, unquote(name))

    return view_of_name


def _list() -> str:
    return reverse("admin:tasks_queue_changelist")
