"""The list of tasks: who asked for what, how it stands, how long it waited and ran."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tasks.admin import task_page
from tasks.admin.acting import menu
from tasks.admin.filter_from_request import filter_of
from tasks.admin.filters import BatchFilter, CreatedFilter, ErrorFilter, QueueFilter, StatusFilter, TypeFilter
from tasks.admin.formats import between, task_link
from tasks.admin.owned import OwnedScreen
from tasks.admin.search import HELP, match_tasks
from tasks.admin.task_actions import act_on_tasks, ask, ask_for_all, posted_action, safe_back
from tasks.errors import InvalidInput
from tasks.measures import NOTHING
from tasks.models import Task
from tasks.operations.bulk_action import BulkAction, bulk_actions
from tasks.statuses import Status
from tasks.ui.badge import status_badge


class TaskScreen(OwnedScreen[Task]):
    """Read-only; acts through `tasks.lifecycle`."""

    list_display = (
        "short_id", "owner_email", "type", "shown", "priorities", "attempts_made", "waited", "ran", "error_code",
        "created",
    )  # fmt: skip
    list_display_links = None
    list_filter = (StatusFilter, TypeFilter, QueueFilter, CreatedFilter, ErrorFilter, BatchFilter)
    search_help_text = HELP

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        return super().get_queryset(request).select_related("owner").annotate(now=Now())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Task], search_term: str
    ) -> tuple[QuerySet[Task], bool]:
        return (queryset.filter(match_tasks(search_term)) if search_term.strip() else queryset), False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("act/<str:verb>/", wrap(self.act), name="tasks_task_act"),
            path("<uuid:task_id>/ask/<str:verb>/", wrap(self.ask_one), name="tasks_task_ask"),
            path("<uuid:task_id>/content/", wrap(self.show_content), name="tasks_task_content"),
            *super().get_urls(),
        ]

    # --- Acting -----------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return menu(request, bulk_actions("list"), self._ask_selected)

    def _ask_selected(self, request: HttpRequest, action: BulkAction, queryset: QuerySet[Task]) -> HttpResponse:
        back = request.get_full_path()
        if request.POST.get("select_across") != "1":
            return ask(request, action, queryset, back=back)
        try:
            return ask_for_all(request, action, filter_of(request), back=back)
        except InvalidInput as error:
            messages.warning(request, error.message)
            return HttpResponseRedirect(back)

    def ask_one(self, request: HttpRequest, task_id: UUID, verb: str) -> HttpResponse:
        action = posted_action(request, verb, place="task")
        if action is None:
            return HttpResponseNotAllowed(["POST"])
        back = safe_back(request, request.POST.get("back", ""))
        return ask(request, action, Task.objects.filter(pk=task_id), back=back)

    def act(self, request: HttpRequest, verb: str) -> HttpResponse:
        action = posted_action(request, verb)
        return HttpResponseNotAllowed(["POST"]) if action is None else act_on_tasks(request, action)

    # --- One task ---------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return task_page.show(self, request, object_id, reveal=False)

    def show_content(self, request: HttpRequest, task_id: UUID) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return task_page.show(self, request, str(task_id), reveal=True)

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description="id")
    def short_id(self, task: Task) -> SafeString | str:
        return task_link(task.pk)

    @admin.display(description="status")
    def shown(self, task: Task) -> SafeString:
        return status_badge(task.shown_status)

    @admin.display(description="priority")
    def priorities(self, task: Task) -> SafeString | str:
        if task.priority == task.priority_requested:
            return str(task.priority)
        return format_html(
            '<span title="{}">{} → {}</span>', task.priority_reason, task.priority_requested, task.priority
        )

    @admin.display(description="attempts")
    def attempts_made(self, task: Task) -> str:
        return f"{task.attempts_counted} of {task.max_attempts}"

    @admin.display(description="waited")
    def waited(self, task: Task) -> str:
        return between(task.created_at, task.started_at or task.finished_at or _now(task))

    @admin.display(description="ran")
    def ran(self, task: Task) -> str:
        if task.status == Status.RUNNING:
            return between(task.started_at, _now(task))
        return between(task.started_at, task.finished_at) if task.finished_at else NOTHING

    @admin.display(description="error")
    def error_code(self, task: Task) -> SafeString | str:
        if not task.error:
            return NOTHING
        words = str(task.error.get("code", "")).split("_")
        code = format_html_join(SafeString("_<wbr>"), "{}", ((word,) for word in words))
        return format_html('<code title="{}">{}</code>', task.error.get("message", ""), code)


def _now(task: Task) -> datetime:
    # Annotated: ages are told by the database's clock, as everything that decides is.
    now: datetime = task.now  # type: ignore[attr-defined]
    return now
