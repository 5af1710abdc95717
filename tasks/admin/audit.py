"""The audit log: who did what, and when. Nobody changes it here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.export import ExportedScreen
from tasks.admin.filters import PERIODS, Choices, WordFilter
from tasks.admin.formats import moment, task_link, user_link
from tasks.admin.keyset import Places
from tasks.admin.search import users_like
from tasks.measures import NOTHING
from tasks.models import AuditEntry
from tasks.models.audit import NOT_OF_OPERATION
from tasks.ui.look import words_of

MOST_DETAILS = 300
# What a word stands for, where its underscores as spaces are not enough.
ACTIONS = {
    "view_content": gettext_lazy("looked at the content"),
    "retry_edited": gettext_lazy("retried with another input"),
}
# In the details, and told in other columns.
TOLD = frozenset({"name", "operation", "command_by"})


def kinds() -> list[str]:
    """Return what things are called in the log: the tables that have a screen, and what commands and tasks act on."""
    shown = {str(model._meta.model_name) for model in admin.site._registry} - {"webhookdelivery", "auditentry"}
    return sorted(shown | {"webhook_delivery", "backend_pool", "apitoken", "cause", "task_type"})


class KindFilter(WordFilter):
    """By what was acted on."""

    title = gettext_lazy("what")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(kind, capfirst(_kind_text(kind))) for kind in kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(target_kind=self.value()) if self.value() else queryset


class WhenFilter(WordFilter):
    title = gettext_lazy("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, str(label)) for name, (label, _age) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        period = PERIODS.get(self.value() or "")
        return queryset.filter(created_at__gte=timezone.now() - period[1]) if period else queryset


class OperationFilter(WordFilter):
    """An operation is one entry; what it did to each of its tasks is many, and shown when asked for."""

    title = gettext_lazy("operations")
    parameter_name = "each"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [("task", gettext("With each of their tasks"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield first | {"display": gettext("An entry each")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        is_hidden = self.value() != "task" and not request.GET.get(SEARCH_VAR, "").strip()
        return queryset.filter(NOT_OF_OPERATION) if is_hidden else queryset


class AuditScreen(ExportedScreen[AuditEntry]):
    list_display = ("created", "who", "did", "what", "more")
    list_select_related = ("actor",)
    list_display_links = None
    fields = list_display
    readonly_fields = list_display
    list_filter = (KindFilter, WhenFilter, OperationFilter)
    search_fields = ("pk",)
    search_help_text = gettext_lazy("The exact id of what was acted on, or the e-mail address of who acted")
    actions = None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if "@" in text:
            return queryset.filter(actor__in=users_like(text)), False
        return queryset.filter(target_kind__in=kinds(), target_id=text), False

    def places(self, given: Mapping[str, str]) -> Places:
        text, entries = given[SEARCH_VAR].strip(), AuditEntry.objects.all()
        if "@" in text:
            return Places([entries.filter(actor=actor) for actor in users_like(text)])
        if text:
            # The index of targets begins with their kind.
            return Places([entries], entries.filter(target_kind__in=kinds(), target_id=text))
        return Places([entries if given.get("each") == "task" else entries.filter(NOT_OF_OPERATION)])

    def export_row(self, row: AuditEntry) -> dict[str, Any]:
        return {
            "at": row.created_at,
            "who": row.actor.email if row.actor else row.details.get("command_by"),
            "action": row.action,
            "kind": row.target_kind,
            "id": row.target_id,
            "details": json.dumps(row.details, ensure_ascii=False),
        }

    @admin.display(description=gettext_lazy("when"))
    def created(self, entry: AuditEntry) -> SafeString | str:
        return moment(entry.created_at)

    @admin.display(description=gettext_lazy("who"))
    def who(self, entry: AuditEntry) -> SafeString | str:
        return user_link(entry.actor) if entry.actor else str(entry.details.get("command_by", NOTHING))

    @admin.display(description=gettext_lazy("did"))
    def did(self, entry: AuditEntry) -> str:
        return str(ACTIONS.get(entry.action) or words_of(entry.action))

    @admin.display(description=gettext_lazy("what"))
    def what(self, entry: AuditEntry) -> SafeString | str:
        kind = _kind_text(entry.target_kind)
        if entry.target_kind == "task":
            return format_html("{} {}", kind, task_link(entry.target_id))
        name = entry.details.get("name") or entry.target_id
        url = _address_of(entry)
        # Of what there is only one, it has no other name.
        kind = "" if name == kind else kind
        return format_html('{} <a href="{}">{}</a>', kind, url, name) if url else f"{kind} {name}"

    @admin.display(description=gettext_lazy("details"))
    def more(self, entry: AuditEntry) -> SafeString | str:
        told = [
            (name, value) for name, value in entry.details.items() if name not in TOLD and value not in ("", [], None)
        ]
        parts = [_part(name, value) for name, value in told]
        if operation := entry.details.get("operation"):
            url = reverse("admin:tasks_operation_change", args=[operation])
            parts.insert(0, format_html('<a href="{}">{}</a>', url, gettext("by an operation")))
        joined = format_html_join(" · ", "{}", ((part,) for part in parts))
        return format_html('<span class="small details">{}</span>', joined) if parts else NOTHING


def _kind_text(kind: str) -> str:
    """Return what people call a kind of thing: `alarmsettings` has a space, and a token of the API its capitals."""
    names = {str(model._meta.model_name): str(model._meta.verbose_name) for model in admin.site._registry}
    names |= {"apitoken": gettext("API token"), "tasktype": gettext("task type")}
    return names.get(kind.replace("_", "")) or words_of(kind)


def _part(name: str, value: Any) -> str:
    if name == "changes" and isinstance(value, list):
        # As Django's forms note it: what was added, changed and deleted, by the titles of the fields.
        return LogEntry(change_message=json.dumps(value)).get_change_message()
    return format_html("{}: {}", words_of(name), _told(value))


def _address_of(entry: AuditEntry) -> str:
    """Return where it is now; empty where it is gone, as what was deleted, or has no page."""
    app = {"user": "accounts", "plan": "accounts", "group": "auth"}.get(entry.target_kind, "tasks")
    if entry.action == "delete":
        return ""
    try:
        return reverse(f"admin:{app}_{entry.target_kind.replace('_', '')}_change", args=[entry.target_id])
    except NoReverseMatch:
        return ""


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:MOST_DETAILS] + ("…" if len(text) > MOST_DETAILS else "")
