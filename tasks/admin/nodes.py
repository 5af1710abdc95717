"""Nodes: the running `qcluster` process trees, what each of their workers runs now; drain and resume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tasks.admin.access import operator_of
from tasks.admin.confirm import Question, confirm_page
from tasks.admin.formats import age, link_button, moment, percent_text, task_link
from tasks.admin.screen import ReadOnlyScreen
from tasks.errors import NotFound
from tasks.lifecycle.pause import drain_node, resume_node
from tasks.measures import NOTHING, duration_text
from tasks.models import Node
from tasks.models.node import HEARTBEAT_SECONDS, NodeStatus
from tasks.ui.badge import status_badge

PERMISSION = "tasks.change_node"
CURRENT = (NodeStatus.ALIVE, NodeStatus.DRAINING)


class StandingFilter(SimpleListFilter):
    """Running nodes unless asked otherwise: every restart leaves a row behind."""

    title = "status"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("ended", "Stopped and lost"), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        # Django's first choice is the one without a value, and calls it All.
        first, *others = super().choices(changelist)
        yield first | {"display": "Running"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        if self.value() == "ended":
            return queryset.exclude(status__in=CURRENT)
        return queryset.filter(status__in=CURRENT)


class NodeScreen(ReadOnlyScreen[Node]):
    """What is shown is as of the node's last heartbeat."""

    list_display = ("name", "place", "cluster", "standing", "heartbeat", "busy", "cpu", "memory", "started")
    list_filter = (StandingFilter,)
    list_select_related = ("cluster",)
    sortable_by = ()
    fields = (
        "id", "name", "place", "cluster", "version", "standing", "heartbeat", "workers", "busy", "cpu", "memory",
        "started", "stopped_at",
    )  # fmt: skip
    readonly_fields = ("place", "standing", "heartbeat", "busy", "cpu", "memory", "started")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Node]:
        return super().get_queryset(request).annotate(now=Now())

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.list_display, "act") if request.user.has_perm(PERMISSION) else self.list_display

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:node_id>/drain/", wrap(self.drain), name="tasks_node_drain"),
            path("<uuid:node_id>/resume/", wrap(self.resume), name="tasks_node_resume"),
            *super().get_urls(),
        ]

    def drain(self, request: HttpRequest, node_id: UUID) -> HttpResponse:
        """Ask, then let the node take nothing new."""
        text = "It ends what it runs and takes nothing new, until it is resumed or stopped."
        question = Question(title="Drain this node?", text=text, button="Drain", back=_list())
        return self._change(request, node_id, question, drain_node, "drains")

    def resume(self, request: HttpRequest, node_id: UUID) -> HttpResponse:
        """Ask, then let the node take work again."""
        question = Question(title="Resume this node?", text="It takes work again.", button="Resume", back=_list())
        return self._change(request, node_id, question, resume_node, "takes work again")

    def _change(
        self, request: HttpRequest, node_id: UUID, question: Question, act: Callable[..., None], done: str
    ) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied("You may look at nodes, but not drain or resume them.")
        node = Node.objects.filter(pk=node_id).first()
        if node is None:
            raise Http404("There is no such node.")
        if request.method != "POST":
            return confirm_page(request, replace(question, title=question.title.replace("this node", str(node))))
        try:
            act(node_id, by=operator_of(request))
            messages.success(request, f"{node} {done}.")
        except NotFound as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(_list())

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description="host")
    def place(self, node: Node) -> SafeString:
        return format_html('{}<br><span class="muted small">pid {} · {}</span>', node.host, node.pid, node.version)

    @admin.display(description="status")
    def standing(self, node: Any) -> SafeString:
        if node.status in CURRENT and node.now - node.heartbeat_at > timedelta(seconds=HEARTBEAT_SECONDS):
            return status_badge("silent")
        tag = status_badge(node.status)
        return format_html('{}<br><span class="muted small">throttled</span>', tag) if node.throttled else tag

    @admin.display(description="heartbeat")
    def heartbeat(self, node: Any) -> str:
        return f"{age(node.heartbeat_at, node.now)} ago" if node.status in CURRENT else NOTHING

    @admin.display(description="busy workers")
    def busy(self, node: Node) -> SafeString | str:
        if node.status not in CURRENT:
            return NOTHING
        lines = format_html_join(
            "",
            '<br><span class="small">{} · pid {} · {}</span>',
            (
                (task_link(run.get("task")), run.get("pid", ""), duration_text(run.get("since_seconds")))
                for run in node.running
            ),
        )
        return format_html("{} of {}{}", len(node.running), node.workers, lines)

    @admin.display(description="CPU")
    def cpu(self, node: Node) -> str:
        return percent_text(node.cpu_percent)

    @admin.display(description="memory")
    def memory(self, node: Node) -> str:
        return percent_text(node.memory_percent)

    @admin.display(description="started")
    def started(self, node: Node) -> SafeString | str:
        return moment(node.started_at)

    @admin.display(description="")
    def act(self, node: Node) -> SafeString | str:
        verb = {NodeStatus.ALIVE: "drain", NodeStatus.DRAINING: "resume"}.get(NodeStatus(node.status))
        return link_button(reverse(f"admin:tasks_node_{verb}", args=[node.pk]), verb.capitalize()) if verb else ""


def _list() -> str:
    return reverse("admin:tasks_node_changelist")
