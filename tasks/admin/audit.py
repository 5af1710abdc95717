"""The audit log: who did what, and when. Nobody changes it here."""

from __future__ import annotations

import json

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.admin.formats import moment, task_link, user_link
from tasks.admin.keyset import KeysetScreen
from tasks.admin.search import users_like
from tasks.measures import NOTHING
from tasks.models import AuditEntry

# The index of targets begins with their kind.
KINDS = (
    "task",
    "queue",
    "node",
    "user",
    "plan",
    "apitoken",
    "batch",
    "file",
    "schedule",
    "webhook_delivery",
    "group",
    "operation",
)
MOST_DETAILS = 300


class AuditScreen(KeysetScreen[AuditEntry]):
    list_display = ("created", "who", "action", "what", "more")
    list_select_related = ("actor",)
    list_display_links = None
    search_fields = ("pk",)
    search_help_text = "The exact id of what was acted on, or the e-mail address of who acted"
    actions = None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if "@" in text:
            return queryset.filter(actor__in=users_like(text)), False
        return queryset.filter(Q(target_kind__in=KINDS), target_id=text), False

    @admin.display(description="when")
    def created(self, entry: AuditEntry) -> SafeString | str:
        return moment(entry.created_at)

    @admin.display(description="who")
    def who(self, entry: AuditEntry) -> SafeString | str:
        return user_link(entry.actor)

    @admin.display(description="what")
    def what(self, entry: AuditEntry) -> SafeString | str:
        if entry.target_kind == "task":
            return format_html("task {}", task_link(entry.target_id))
        return f"{entry.target_kind} {entry.details.get('name') or entry.target_id}"

    @admin.display(description="details")
    def more(self, entry: AuditEntry) -> SafeString | str:
        if not entry.details:
            return NOTHING
        text = json.dumps(entry.details, ensure_ascii=False)
        return format_html(
            '<span class="small details">{}</span>', text[:MOST_DETAILS] + ("…" if len(text) > MOST_DETAILS else "")
        )
