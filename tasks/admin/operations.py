"""Operations: what is being done to many tasks, how far it is, and stopping it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from tasks.admin.acting import ActingScreen
from tasks.admin.filters import Choices, WordFilter
from tasks.admin.formats import moment, user_link
from tasks.admin.keyset import KeysetScreen
from tasks.errors import NotFound
from tasks.models import AuditEntry, Cause, Node, Operation
from tasks.models.node import NodeStatus
from tasks.models.operation import OperationStatus
from tasks.operations.action import Action, say
from tasks.operations.bulk_action import PERMISSION, bulk_actions, find_bulk_action
from tasks.operations.manage import cancel_operation, pause_operation, resume_operation
from tasks.operations.task_filter import TaskFilter, read_filter
from tasks.ui.badge import status_badge
from tasks.ui.words import look_of_status

# Their buttons are on the operation's page, which shows what came of them.
PAUSE = Action(
    name="pause", label=gettext_lazy("Pause"), permission=PERMISSION,
    act=lambda operation, by, _choice: pause_operation(operation.pk, by=by),
)  # fmt: skip
RESUME = Action(
    name="resume", label=gettext_lazy("Go on"), permission=PERMISSION, tone="primary",
    act=lambda operation, by, _choice: resume_operation(operation.pk, by=by),
)  # fmt: skip
STOP = Action(
    name="cancel", label=gettext_lazy("Stop here"), permission=PERMISSION, tone="danger",
    act=lambda operation, by, _choice: cancel_operation(operation.pk, by=by),
)  # fmt: skip
MOST_NAMES = 10
MOST_AUDIT = 50


class KindFilter(WordFilter):
    """By what is done. The table knows no list of kinds; the registry does."""

    title = gettext_lazy("kind")
    parameter_name = "kind__exact"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(action.name, str(action.label)) for action in bulk_actions()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class OperationScreen(ActingScreen[Operation], KeysetScreen[Operation]):
    """Operations are started where tasks are chosen: in the lists of tasks, failures, queues and users."""

    list_display = ("title", "who", "standing", "progress", "created", "ended")
    list_display_links = None
    list_filter = ("status", KindFilter)
    list_select_related = ("made_by",)
    actions = None
    row_actions = (PAUSE, RESUME, STOP)

    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(self.live)
        return [path("<uuid:operation_id>/live/", live, name="tasks_operation_live"), *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.list_display

    def actions_for(self, row: Operation) -> tuple[Action, ...]:
        if row.is_over:
            return ()
        return (PAUSE if row.status == OperationStatus.RUNNING else RESUME, STOP)

    def address(self, row: Operation) -> str:
        return reverse("admin:tasks_operation_change", args=[row.pk])

    def missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        messages.error(request, f"There is no operation {object_id}.")
        return HttpResponseRedirect(reverse("admin:tasks_operation_changelist"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one operation, fresh every second while it runs."""
        operation = self._find(request, object_id)
        context = self.admin_site.each_context(request) | self._facts(request, operation) | {"opts": self.opts}
        return TemplateResponse(request, "admin/tasks/operation/page.html", context)

    def live(self, request: HttpRequest, operation_id: UUID) -> HttpResponse:
        """Show the part of the page that changes."""
        facts = self._facts(request, self._find(request, str(operation_id)))
        return TemplateResponse(request, "admin/tasks/operation/progress.html", facts)

    def _facts(self, request: HttpRequest, operation: Operation) -> dict[str, Any]:
        permitted = [action for action in self.actions_for(operation) if request.user.has_perm(action.permission)]
        buttons = [
            (action, reverse(f"admin:tasks_operation_{action.name}", args=[operation.pk])) for action in permitted
        ]
        return _facts(operation) | {"buttons": buttons}

    def _find(self, request: HttpRequest, operation_id: str) -> Operation:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return Operation.objects.select_related("made_by", "owner").get(pk=UUID(operation_id))
        except (Operation.DoesNotExist, ValueError) as error:
            raise Http404("There is no such operation.") from error

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("operation"))
    def title(self, operation: Operation) -> SafeString:
        link = reverse("admin:tasks_operation_change", args=[operation.pk])
        return format_html('<a href="{}">{}</a>', link, title_of(operation))

    @admin.display(description=gettext_lazy("by"))
    def who(self, operation: Operation) -> SafeString | str:
        return user_link(operation.made_by)

    @admin.display(description=gettext_lazy("status"))
    def standing(self, operation: Operation) -> SafeString:
        return status_badge(operation.status)

    @admin.display(description=gettext_lazy("done"))
    def progress(self, operation: Operation) -> str:
        return gettext("{count} of {most}").format(count=f"{operation.done:,}", most=f"{operation.total:,}")

    @admin.display(description=gettext_lazy("started"))
    def created(self, operation: Operation) -> SafeString | str:
        return moment(operation.created_at)

    @admin.display(description=gettext_lazy("ended"))
    def ended(self, operation: Operation) -> SafeString | str:
        return moment(operation.finished_at)


def title_of(operation: Operation) -> str:
    """Say what is done to how many. Its action may be gone from this installation."""
    try:
        action = find_bulk_action(operation.kind)
    except NotFound:
        return str(operation)
    return say(
        action.operation_title or action.title,
        it=action.things_text(operation.total),
        queue=operation.to_queue,
        priority=operation.to_priority,
    )


def _facts(operation: Operation) -> dict[str, Any]:
    goes_on = operation.status == OperationStatus.RUNNING
    return {
        "title": title_of(operation),
        "operation": operation,
        "status": status_badge(operation.status),
        "goes_on": goes_on,
        "has_nodes": not goes_on or Node.objects.filter(status=NodeStatus.ALIVE).exists(),
        # What started or ended before its turn is not come to any more, so an end can be below the total.
        "percent": 100 if operation.status == OperationStatus.FINISHED else _percent(operation),
        "seconds_left": (operation.total - operation.done) / operation.pace if goes_on else None,
        "wanted": list(_words(read_filter(operation.filter))),
        "entries": AuditEntry.objects.filter(
            target_kind="operation", target_id=str(operation.pk)
        ).select_related("actor")[:MOST_AUDIT],
    }  # fmt: skip


def _percent(operation: Operation) -> int:
    return min(99, operation.done * 100 // operation.total) if operation.total else 0


def _words(wanted: TaskFilter) -> Iterator[tuple[str, Any]]:
    """Yield the conditions of a filter as people read them."""
    if wanted.ids:
        yield gettext("Tasks"), gettext("{count} selected").format(count=len(wanted.ids))
    if wanted.id_from:
        yield gettext("Id from"), wanted.id_from
    if wanted.owners is not None:
        yield gettext("Users"), _names(wanted.owners)
    plain = {
        gettext("Status"): ", ".join(str(look_of_status(one).label) for one in wanted.statuses),
        gettext("Type"): wanted.type,
        gettext("Queue"): wanted.queue,
        gettext("Batch"): wanted.batch,
        gettext("Tag"): wanted.tag,
        gettext("Error"): wanted.error_code,
        gettext("Message begins"): wanted.error_head,
        gettext("Failed of"): _cause(wanted.cause),
        gettext("Tried again after"): _cause(wanted.retries_of),
        gettext("Created after"): wanted.created_after and moment(wanted.created_after),
        gettext("Created before"): wanted.created_before and moment(wanted.created_before),
        gettext("Ended after"): wanted.ended_after and moment(wanted.ended_after),
        gettext("Ended before"): wanted.ended_before and moment(wanted.ended_before),
        gettext("Node"): wanted.node,
    }
    yield from ((name, value) for name, value in plain.items() if value)


def _cause(cause_id: int | None) -> SafeString | str:
    """Return a link to a cause, by its words while there are some."""
    if cause_id is None:
        return ""
    name = next((str(cause) for cause in Cause.objects.filter(pk=cause_id)), f"cause {cause_id}")
    return format_html('<a href="{}">{}</a>', reverse("admin:tasks_cause_change", args=[cause_id]), name)


def _names(owners: tuple[int, ...]) -> str:
    names = list(User.objects.filter(pk__in=owners[:MOST_NAMES]).order_by("email").values_list("email", flat=True))
    return ", ".join(names) + (f" and {len(owners) - MOST_NAMES} others" if len(owners) > MOST_NAMES else "")
