"""Files: what is stored, whose, how large. Their bytes are not shown here: they are users' content."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tasks.admin.formats import moment, task_link, user_link
from tasks.admin.keyset import KeysetScreen
from tasks.admin.search import users_like
from tasks.measures import size_text
from tasks.models import File


class FileScreen(KeysetScreen[File]):
    list_display = ("name", "owner_email", "content_type", "bytes", "made_by", "created")
    list_display_links = None
    list_select_related = ("owner",)
    search_fields = ("pk",)
    search_help_text = "The e-mail address of the owner or a part of it"
    actions = None
    fields = ("id", "name", "owner_email", "content_type", "bytes", "sha256", "made_by", "created")
    readonly_fields = ("owner_email", "bytes", "made_by", "created")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[File], search_term: str
    ) -> tuple[QuerySet[File], bool]:
        return (queryset.filter(owner__in=users_like(search_term)) if search_term.strip() else queryset), False

    @admin.display(description="user")
    def owner_email(self, file: File) -> SafeString | str:
        return user_link(file.owner)

    @admin.display(description="size")
    def bytes(self, file: File) -> str:
        return size_text(file.size)

    @admin.display(description="made by")
    def made_by(self, file: File) -> SafeString | str:
        return task_link(file.task_id) if file.task_id else "upload"

    @admin.display(description="created")
    def created(self, file: File) -> SafeString | str:
        return moment(file.created_at)
