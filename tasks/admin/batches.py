"""Batches: tasks that were submitted together, and how far they are."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tasks.admin.formats import moment, user_link
from tasks.admin.keyset import KeysetScreen
from tasks.admin.search import users_like
from tasks.models import Batch
from tasks.ui.badge import status_badge


class BatchScreen(KeysetScreen[Batch]):
    list_display = ("title", "owner_email", "created")
    list_select_related = ("owner",)
    search_fields = ("pk",)
    search_help_text = "The e-mail address of the owner or a part of it"
    actions = None
    fields = ("id", "name", "owner_email", "created", "progress")
    readonly_fields = ("owner_email", "created", "progress")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        # Its items can be a thousand; the list shows none of them.
        return super().get_queryset(request).defer("items")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Batch], search_term: str
    ) -> tuple[QuerySet[Batch], bool]:
        return (queryset.filter(owner__in=users_like(search_term)) if search_term.strip() else queryset), False

    @admin.display(description="batch")
    def title(self, batch: Batch) -> str:
        return str(batch)

    @admin.display(description="user")
    def owner_email(self, batch: Batch) -> SafeString | str:
        return user_link(batch.owner)

    @admin.display(description="created")
    def created(self, batch: Batch) -> SafeString | str:
        return moment(batch.created_at)

    @admin.display(description="tasks")
    def progress(self, batch: Batch) -> SafeString | str:
        counts = batch.tasks.values_list("status").annotate(Count("pk")).order_by("status")
        tasks = reverse("admin:tasks_task_changelist")
        return format_html(
            '{} <a href="{}?batch={}">Show them</a>',
            format_html_join(" ", "{} {}", ((status_badge(_shown(status)), f"{count:,}") for status, count in counts)),
            tasks,
            batch.pk,
        )


def _shown(status: str) -> str:
    return "queued" if status in {"held", "ready"} else status
