"""Batches: tasks that were submitted together, and how far they are."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.owned import OwnedScreen
from tasks.models import Batch
from tasks.ui.badge import status_badge


class BatchScreen(OwnedScreen[Batch]):
    list_display = ("title", "owner_email", "created")
    actions = None
    fields = ("id", "name", "owner_email", "created", "progress")
    readonly_fields = ("owner_email", "created", "progress")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        # Its items can be a thousand; the list shows none of them.
        return super().get_queryset(request).defer("items")

    @admin.display(description=gettext_lazy("batch"))
    def title(self, batch: Batch) -> str:
        return str(batch)

    @admin.display(description=gettext_lazy("tasks"))
    def progress(self, batch: Batch) -> SafeString | str:
        counts = batch.tasks.values_list("status").annotate(Count("pk")).order_by("status")
        tasks = reverse("admin:tasks_task_changelist")
        return format_html(
            '{} <a href="{}?batch={}">{}</a>',
            format_html_join(" ", "{} {}", ((status_badge(_shown(status)), f"{count:,}") for status, count in counts)),
            tasks,
            batch.pk,
            gettext("Show them"),
        )


def _shown(status: str) -> str:
    return "queued" if status in {"held", "ready"} else status
