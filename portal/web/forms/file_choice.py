"""A form field for files: upload new ones, keep those already chosen, or pick from those kept in the portal.

Where a type takes one file, its form takes several: each makes a task of its own.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.models import User
from portal.web.ids import first_uuid, uuids_in
from portal.web.uploads import MOST_FILES
from tasks import errors
from tasks.files import store_file
from tasks.models import File

# The picker is for what was used lately; older files are found on the page Files.
PICKER_LENGTH = 50


class FileChoiceWidget(forms.Widget):
    """Renders the drop, the files chosen so far and the picker. Its value is (ids, uploads)."""

    template_name = "web/forms/file_choice.html"
    needs_multipart_form = True

    def __init__(self, *, many: bool, each: bool, most: int | None, accept: list[str]) -> None:
        super().__init__()
        self.many = many
        self.each = each
        self.most = most
        self.accept = accept
        self.kept: list[File] = []
        # Uploads of this very form: if it is shown again, they need not be sent again.
        self.stored: list[File] = []
        # Why a file cannot be taken, by its id: it stays in sight, and is not sent again.
        self.refused: dict[str, str] = {}

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        stored = [str(file.id) for file in self.stored]
        several = self.many or self.each
        # In the order in which they were chosen: the one of their tasks.
        chosen = dict.fromkeys([*_ids_in(value), *stored] if several else stored[-1:] or _ids_in(value))
        known = {str(file.id): file for file in [*self.kept, *self.stored]}
        context["widget"] |= {
            "many": self.many,
            "each": self.each,
            "several": several,
            "most": self.most,
            "accept": ",".join(self.accept),
            "chosen": [(known[id_], self.refused.get(id_, "")) for id_ in chosen if id_ in known],
            "kept": [file for file in self.kept if str(file.id) not in chosen][:PICKER_LENGTH],
        }
        return context

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        # Django's form renderer does not look into the project's templates.
        return SafeString(render_to_string(template_name, context))

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, UploadedFile[Any]], name: str
    ) -> tuple[list[str], list[UploadedFile[Any]]]:
        ids = data.getlist(name) if hasattr(data, "getlist") else list(_ids_in(data.get(name)))
        return [value for value in ids if value], files.getlist(f"{name}-upload")

    def value_omitted_from_data(self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str) -> bool:
        return name not in data and f"{name}-upload" not in files

    def id_for_label(self, id_: str) -> str:
        return f"{id_}-upload" if id_ else id_


class FileChoiceField(forms.Field):
    """Cleans to the id of a file, or a list of ids; uploads are stored while cleaning."""

    widget: FileChoiceWidget

    def __init__(
        self, *, owner: User, many: bool, accept: list[str], each: bool = False, most: int | None = None, **options: Any
    ) -> None:
        """`each`: one file is wanted, and several are a list, for one task each. `most`: of a list."""
        self.owner = owner
        self.many = many
        self.each = each
        self.accept = accept
        most = MOST_FILES if each else most
        super().__init__(widget=FileChoiceWidget(many=many, each=each, most=most, accept=accept), **options)
        self.offer_kept_files([])

    def offer_kept_files(self, also: list[str]) -> None:
        """Fill the picker with the user's newest fitting files, and those already chosen."""
        mine = File.objects.filter(owner=self.owner).order_by("-id")
        newest = [file for file in mine.filter(task=None)[:200] if self._fits(file)]
        known = {str(file.id) for file in newest}
        older = mine.filter(pk__in=[value for value in uuids_in(also) if str(value) not in known])
        self.widget.kept = [*older, *newest]

    def clean(self, value: tuple[list[str], list[UploadedFile[Any]]]) -> Any:
        ids, uploads = value
        if not ids and not uploads:
            if self.required:
                raise forms.ValidationError(
                    gettext("Choose at least one file.") if self.many else gettext("Choose a file.")
                )
            return [] if self.many else None
        if bad := [value for value in ids if first_uuid(value) is None]:
            raise forms.ValidationError(gettext("%(value)r is not the id of a file.") % {"value": bad[0][:40]})
        # The good ones are kept, so that the form goes on with them when it is sent again.
        faults = [fault for upload in uploads if (fault := self._store(upload))]
        if faults:
            raise forms.ValidationError(faults)
        chosen = list(dict.fromkeys([*ids, *(str(file.id) for file in self.widget.stored)]))
        if self.many or (self.each and len(chosen) > 1):
            return chosen
        # A new upload replaces the one chosen before; only a list keeps both.
        return chosen[-1]

    def refuse(self, file_id: str, why: str) -> None:
        """Show a chosen file with the reason why it cannot be taken."""
        self.widget.refused[file_id] = why

    def _store(self, upload: UploadedFile[Any]) -> str | None:
        """Store an upload; or return why it is left out."""
        try:
            self.widget.stored.append(store_file(self.owner, name=upload.name or "", chunks=upload.chunks()))
        except errors.TaskError as error:
            return error.message
        return None

    def _fits(self, file: File) -> bool:
        return not self.accept or any(fnmatch.fnmatch(file.content_type, pattern) for pattern in self.accept)


def _ids_in(value: Any) -> list[str]:
    """Return the ids in a form value: (ids, uploads), one id, a list of ids or nothing."""
    if isinstance(value, tuple):
        return [str(member) for member in value[0]]
    if isinstance(value, list):
        return [str(member) for member in value]
    return [str(value)] if value else []
