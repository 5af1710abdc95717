"""Nodes: the running `qcluster` process trees, what each of their workers runs now; drain and resume."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tasks.admin.acting import ActingScreen
from tasks.admin.formats import age, moment, percent_text, task_link
from tasks.admin.screen import ReadOnlyScreen
from tasks.lifecycle.pause import drain_node, resume_node
from tasks.measures import NOTHING, duration_text
from tasks.models import Node
from tasks.models.node import HEARTBEAT_SECONDS, NodeStatus
from tasks.operations.action import Action
from tasks.ui.badge import status_badge

PERMISSION = "tasks.change_node"
DRAIN = Action(
    name="drain", label="Drain", title="Drain {it}", done="{it} drains.", permission=PERMISSION,
    text="It ends what it runs and takes nothing new, until it is resumed or stopped.",
    act=lambda node, by, _choice: drain_node(node.pk, by=by),
)  # fmt: skip
RESUME = Action(
    name="resume", label="Resume", title="Resume {it}", done="{it} takes work again.", permission=PERMISSION,
    text="It takes work again.", act=lambda node, by, _choice: resume_node(node.pk, by=by),
)  # fmt: skip
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


class NodeScreen(ActingScreen[Node], ReadOnlyScreen[Node]):
    """What is shown is as of the node's last heartbeat."""

    list_display = ("name", "place", "cluster", "standing", "heartbeat", "busy", "cpu", "memory", "started")
    list_filter = (StandingFilter,)
    list_select_related = ("cluster",)
    row_actions = (DRAIN, RESUME)
    sortable_by = ()
    fields = (
        "id", "name", "place", "cluster", "version", "standing", "heartbeat", "workers", "busy", "cpu", "memory",
        "started", "stopped_at",
    )  # fmt: skip
    readonly_fields = ("place", "standing", "heartbeat", "busy", "cpu", "memory", "started")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Node]:
        return super().get_queryset(request).annotate(now=Now())

    def actions_for(self, row: Node) -> list[Action]:
        return {NodeStatus.ALIVE: [DRAIN], NodeStatus.DRAINING: [RESUME]}.get(NodeStatus(row.status), [])

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
