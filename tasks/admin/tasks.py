"""The list of tasks: who asked for what, how it stands, how long it waited and ran."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.admin import task_page
from tasks.admin.access import operator_of
from tasks.admin.acting import menu
from tasks.admin.carry_out import require_permission
from tasks.admin.export import ExportedScreen
from tasks.admin.filter_from_request import filter_of
from tasks.admin.filters import (
    PERIODS,
    BatchFilter,
    CauseFilter,
    CreatedFilter,
    QueueFilter,
    StatusFilter,
    SystemFilter,
    TypeFilter,
    cause_id,
)
from tasks.admin.formats import between, task_link
from tasks.admin.keyset import Places
from tasks.admin.owned import OwnedScreen
from tasks.admin.search import HELP, read_search
from tasks.admin.task_actions import act_on_tasks, ask, ask_for_all, posted_action, safe_back
from tasks.admin.typed_filter import TypedFilter, latest_id
from tasks.admin.views import ViewsScreen
from tasks.errors import InvalidInput, TaskError
from tasks.lifecycle.retry import retry_with_input
from tasks.measures import NOTHING
from tasks.models import Failure, Task, TaskContent
from tasks.models.ids import first_id
from tasks.models.task_sources import task_sources
from tasks.operations.bulk_action import BulkAction, bulk_actions, find_bulk_action
from tasks.statuses import SHOWN, Status
from tasks.ui.badge import status_badge


class TaskScreen(ViewsScreen[Task], ExportedScreen[Task], OwnedScreen[Task]):
    """Read-only; acts through `tasks.lifecycle`."""

    list_display = (
        "short_id", "owner_email", "type", "shown", "priorities", "attempts_made", "waited", "ran", "error_code",
        "created",
    )  # fmt: skip
    list_display_links = None
    list_filter = (
        StatusFilter, TypeFilter, QueueFilter, CreatedFilter, TypedFilter, CauseFilter, BatchFilter, SystemFilter,
    )  # fmt: skip
    search_help_text = HELP

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        return super().get_queryset(request).select_related("owner").annotate(now=Now())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Task], search_term: str
    ) -> tuple[QuerySet[Task], bool]:
        return (queryset.filter(read_search(search_term).condition)), False

    def places(self, given: Mapping[str, str]) -> Places:
        status, age = given.get("status", ""), PERIODS.get(given.get("created", ""))
        words = ["failed"] if given.get("error") or given.get("cause") else [status] if status in SHOWN else []
        search = read_search(given[SEARCH_VAR])
        conditions: dict[str, Any] = {"pk__gte": first_id(timezone.now() - age[1])} if age else {}
        if latest := latest_id(given.get("ended_before", "")):
            conditions["pk__lt"] = latest
        if search.ids:
            conditions["pk__range"] = search.ids
        with suppress(ValueError):
            conditions |= {"batch": UUID(given["batch"])} if given.get("batch") else {}
        by_index: QuerySet[Any] | None = None
        if cause := cause_id(given.get("cause")):
            by_index = Failure.objects.filter(cause=cause)
        elif search.tag:
            by_index = TaskContent.objects.filter(tags__contains=[search.tag])
        sources = task_sources(words=words, type=given.get("type", ""), owners=search.owners, **conditions)
        return Places(sources, by_index)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("act/<str:verb>/", wrap(self.act), name="tasks_task_act"),
            path("<uuid:task_id>/ask/<str:verb>/", wrap(self.ask_one), name="tasks_task_ask"),
            path("<uuid:task_id>/content/", wrap(self.show_content), name="tasks_task_content"),
            path("<uuid:task_id>/retry-with-input/", wrap(self.retry_with_input), name="tasks_task_retry_with_input"),
            *super().get_urls(),
        ]

    def export_row(self, row: Task) -> dict[str, Any]:
        error = row.error or {}
        return {
            "id": row.pk,
            "user": row.owner.email,
            "type": row.type,
            "queue": row.queue_id,
            "status": row.shown_status,
            "priority": row.priority,
            "attempts": row.attempts_counted,
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
            "error_code": error.get("code"),
            "error_message": error.get("message"),
        }

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

    def retry_with_input(self, request: HttpRequest, task_id: UUID) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        require_permission(request, find_bulk_action("retry"))
        if not request.user.has_perm(task_page.CONTENT_PERMISSION):
            raise PermissionDenied("You may look at tasks, but not at what is in them.")
        text = request.POST.get("input", "")
        try:
            retry_with_input(task_id, task_page.read_input(text), by=operator_of(request))
        except InvalidInput as error:
            faults = [f"{fault.pointer}: {fault.detail}" for fault in error.errors] or [error.message]
            return task_page.show(self, request, str(task_id), reveal=True, edited=task_page.Edited(text, faults))
        except TaskError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, gettext("The task was put back in line with the new input."))
        return HttpResponseRedirect(reverse("admin:tasks_task_change", args=[task_id]))

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("id"))
    def short_id(self, task: Task) -> SafeString | str:
        return task_link(task.pk)

    @admin.display(description=gettext_lazy("status"))
    def shown(self, task: Task) -> SafeString:
        return status_badge(task.shown_status)

    @admin.display(description=gettext_lazy("priority"))
    def priorities(self, task: Task) -> SafeString | str:
        if task.priority == task.priority_requested:
            return str(task.priority)
        return format_html(
            '<span title="{}">{} → {}</span>', task.priority_reason, task.priority_requested, task.priority
        )

    @admin.display(description=gettext_lazy("attempts"))
    def attempts_made(self, task: Task) -> str:
        return gettext("{count} of {most}").format(count=task.attempts_counted, most=task.max_attempts)

    @admin.display(description=gettext_lazy("waited"))
    def waited(self, task: Task) -> str:
        return between(task.created_at, task.started_at or task.finished_at or _now(task))

    @admin.display(description=gettext_lazy("ran"))
    def ran(self, task: Task) -> str:
        if task.status == Status.RUNNING:
            return between(task.started_at, _now(task))
        return between(task.started_at, task.finished_at) if task.finished_at else NOTHING

    @admin.display(description=gettext_lazy("error"))
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
