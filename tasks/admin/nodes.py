"""Nodes: the running `qcluster` process trees, and those that were lost; drain and resume, stacks of their workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.access import HX_REQUEST, operator_of
from tasks.admin.acting import ActingScreen
from tasks.admin.carry_out import number_of, require_permission
from tasks.admin.formats import age, moment, percent_text
from tasks.admin.live_list import LiveListScreen
from tasks.admin.node_page import kept_facts, node_facts
from tasks.admin.screen import ReadOnlyScreen
from tasks.errors import TaskError
from tasks.figures.bounded import bounded_queries
from tasks.figures.nodes import CURRENT, last_words, load_text, shown_nodes, standing_of
from tasks.lifecycle.pause import drain_node, resume_node
from tasks.measures import NOTHING
from tasks.models import Node
from tasks.models.node import NodeStatus
from tasks.operations.action import Action
from tasks.operations.bulk_action import PERMISSION as TASK_PERMISSION
from tasks.operations.stacks import ask_for_stack
from tasks.ui.badge import status_badge
from tasks.ui.sentences import in_language

PERMISSION = "tasks.change_node"
DRAIN = Action(
    name="drain",
    label=gettext_lazy("Drain"),
    title=gettext_lazy("Drain {it}"),
    done=gettext_lazy("{it} drains."),
    permission=PERMISSION,
    text=gettext_lazy("It ends what it runs and takes nothing new, until it is resumed or stopped."),
    act=lambda node, by, _choice: drain_node(node.pk, by=by),
)
RESUME = Action(
    name="resume",
    label=gettext_lazy("Resume"),
    title=gettext_lazy("Resume {it}"),
    done=gettext_lazy("{it} takes work again."),
    permission=PERMISSION,
    text=gettext_lazy("It takes work again."),
    act=lambda node, by, _choice: resume_node(node.pk, by=by),
)
# Asks nobody and reports nothing: the answer appears on the node's page.
STACK = Action(name="stack", label=gettext_lazy("Show stack"), permission=PERMISSION)


class StandingFilter(SimpleListFilter):
    """What runs, or was lost within a day, unless asked otherwise: every restart leaves a row behind."""

    title = gettext_lazy("status")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("ended", gettext("Stopped and lost")), ("all", gettext("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        # Django's first choice is the one without a value, and calls it All.
        first, *others = super().choices(changelist)
        yield first | {"display": gettext("Running, or lost today")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        if self.value() == "ended":
            return queryset.exclude(status__in=CURRENT)
        return queryset.filter(pk__in=shown_nodes())


class NodeScreen(LiveListScreen[Node], ActingScreen[Node], ReadOnlyScreen[Node]):
    """What is shown is as of the node's last heartbeat."""

    list_display = ("name", "place", "cluster", "standing", "heartbeat", "busy", "cpu", "memory", "started")
    list_filter = (StandingFilter,)
    list_select_related = ("cluster",)
    row_actions = (DRAIN, RESUME)
    live_page = "nodes"
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Node]:
        return super().get_queryset(request).annotate(now=Now())

    def actions_for(self, row: Node) -> list[Action]:
        return {NodeStatus.ALIVE: [DRAIN], NodeStatus.DRAINING: [RESUME]}.get(NodeStatus(row.status), [])

    def address(self, row: Node) -> str:
        return reverse("admin:tasks_node_change", args=[row.pk])

    def get_urls(self) -> list[URLPattern]:
        ask = self.admin_site.admin_view(self.ask_for_stack)
        return [path("<uuid:node_id>/stack/", ask, name="tasks_node_stack"), *super().get_urls()]

    # --- One node ---------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one node: what is live on its page is the same for everybody who looks."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        # A page that renews itself: only what changes, and no message to a person is used up.
        is_part = HX_REQUEST in request.headers
        node_id = _as_id(object_id)
        if is_part:
            facts = kept_facts(node_id)
        else:
            with bounded_queries():
                facts = node_facts(node_id)
        if facts is None:
            raise Http404("There is no such node.")
        node: Node = facts["node"]
        may_act = request.user.has_perm(PERMISSION)
        context = (
            self.admin_site.each_context(request)
            | facts
            | {
                "title": node.name,
                "opts": self.opts,
                "buttons": self.draw(node, self.actions_for(node)) if may_act else "",
                "may_act": may_act,
                "may_cancel": request.user.has_perm(TASK_PERMISSION),
                "page": self.address(node),
            }
        )
        return TemplateResponse(request, f"admin/tasks/node/{'live' if is_part else 'page'}.html", context)

    def ask_for_stack(self, request: HttpRequest, node_id: UUID) -> HttpResponse:
        """Ask a node for the stack of one of its workers."""
        require_permission(request, STACK)
        pid = number_of(request, "pid") if request.method == "POST" else None
        if pid is None:
            return HttpResponseNotAllowed(["POST"])
        try:
            ask_for_stack(node_id, pid, by=operator_of(request))
        except TaskError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(f"{reverse('admin:tasks_node_change', args=[node_id])}#stacks")

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("host"))
    def place(self, node: Node) -> SafeString:
        return format_html('{}<br><span class="muted small">pid {} · {}</span>', node.host, node.pid, node.version)

    @admin.display(description=gettext_lazy("status"))
    def standing(self, node: Any) -> SafeString:
        tag = status_badge(standing_of(node, node.now))
        if node.status == NodeStatus.LOST:
            when, ran = age(node.stopped_at, node.now), in_language(last_words(node))
            return format_html('{}<br><span class="muted small">{} · {}</span>', tag, when, ran)
        return format_html("{} {}", tag, status_badge("throttled")) if _is_throttled(node) else tag

    @admin.display(description=gettext_lazy("heartbeat"))
    def heartbeat(self, node: Any) -> str:
        return age(node.heartbeat_at, node.now) if node.status in CURRENT else NOTHING

    @admin.display(description=gettext_lazy("busy workers"))
    def busy(self, node: Node) -> str:
        return load_text(node) if node.status in CURRENT else NOTHING

    @admin.display(description=gettext_lazy("CPU"))
    def cpu(self, node: Node) -> str:
        return percent_text(node.cpu_percent)

    @admin.display(description=gettext_lazy("memory"))
    def memory(self, node: Node) -> str:
        return percent_text(node.memory_percent)

    @admin.display(description=gettext_lazy("started"))
    def started(self, node: Node) -> SafeString | str:
        return moment(node.started_at)


def _is_throttled(node: Node) -> bool:
    return node.throttled and node.status in CURRENT


def _as_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("There is no such node.") from error
