"""What the screens share: one that only reads, and one whose changes are in the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.db.models import Model
from django.db.models.query import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tasks import audit
from tasks.admin.access import operator_of

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    Screen = admin.ModelAdmin
else:

    class Screen(admin.ModelAdmin):
        """A `ModelAdmin` that can be subscripted as its stubs say, which Django's cannot at run time."""

        def __class_getitem__(cls, _model: object) -> type[Screen]:
            return cls


class LoggedScreen(Screen[M]):
    """A screen as ours look, whose history is in the audit log: Django's own knows of its forms only.

    `audit_kind` is what the log calls its rows, where that is not the name of the model.
    """

    audit_kind = ""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # Titles of fields stand above them, and end in no colon.
        for form in (
            context["adminform"].form,
            *(form for formset in context["inline_admin_formsets"] for form in formset.forms),
        ):
            form.label_suffix = ""
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponseRedirect:
        query = urlencode({"kind": self.audit_kind or self.opts.model_name, "q": object_id})
        return HttpResponseRedirect(f"{reverse('admin:tasks_auditentry_changelist')}?{query}")


class ReadOnlyScreen(LoggedScreen[M]):
    """Shows rows and lets nobody add, change or delete one; what can be done has its own address and permission."""

    # Both would count every row of the table.
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = {"title": self.opts.verbose_name_plural.capitalize()}  # type: ignore[union-attr]
        return super().changelist_view(request, title | (extra_context or {}))


class AuditedScreen(LoggedScreen[M]):
    """A screen where rows are edited: whatever Django notes in an object's history is audited as well."""

    show_facets = ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = {"title": self.opts.verbose_name_plural.capitalize()}  # type: ignore[union-attr]
        return super().changelist_view(request, title | (extra_context or {}))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        # Django's pop-up buttons for editing the related row: each row has its own screen, one link away.
        for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if field is not None and hasattr(field.widget, name):
                setattr(field.widget, name, False)
        return field

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> Any:
        self._audit(request, obj, "add", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> Any:
        if message:
            self._audit(request, obj, "change", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[M]) -> Any:
        for row in queryset:
            self._audit(request, row, "delete", [])
        return super().log_deletions(request, queryset)

    def _audit(self, request: HttpRequest, obj: M, verb: str, message: Any) -> None:
        audit.record(operator_of(request), verb, str(self.opts.model_name), obj.pk, name=str(obj), changes=message)
