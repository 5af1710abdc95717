"""Files: what is stored, whose, how large. Their bytes are not shown here: they are users' content."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.formats import task_link
from tasks.admin.owned import OwnedScreen
from tasks.measures import size_text
from tasks.models import File


class FileScreen(OwnedScreen[File]):
    list_display = ("name", "owner_email", "content_type", "bytes", "made_by", "created")
    list_display_links = None
    actions = None
    fields = ("id", "name", "owner_email", "content_type", "bytes", "sha256", "made_by", "created")
    readonly_fields = ("owner_email", "bytes", "made_by", "created")

    @admin.display(description=gettext_lazy("size"))
    def bytes(self, file: File) -> str:
        return size_text(file.size)

    @admin.display(description=gettext_lazy("made by"))
    def made_by(self, file: File) -> SafeString | str:
        return task_link(file.task_id) if file.task_id else gettext("upload")
