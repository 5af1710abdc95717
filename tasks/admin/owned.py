"""Lists of what users own: found by the owner's address, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from tasks.admin.formats import moment, user_link
from tasks.admin.keyset import KeysetScreen, Places
from tasks.admin.search import users_like

M = TypeVar("M", bound=Model)


class OwnedScreen(KeysetScreen[M]):
    """A list whose rows have an `owner` and a `created_at`."""

    list_select_related: ClassVar[Any] = ("owner",)
    # Django shows the search field only when there is something here; `get_search_results` decides.
    search_fields: ClassVar[Any] = ("pk",)
    search_help_text = gettext_lazy("The e-mail address of the owner or a part of it")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        return (queryset.filter(owner__in=users_like(search_term)) if search_term.strip() else queryset), False

    def places(self, given: Mapping[str, str]) -> Places:
        text = given[SEARCH_VAR].strip()
        rows = self.model._default_manager.all()
        return Places([rows.filter(owner=owner) for owner in users_like(text)] if text else [rows])

    @admin.display(description=gettext_lazy("user"))
    def owner_email(self, row: Any) -> SafeString | str:
        return user_link(row.owner)

    @admin.display(description=gettext_lazy("created"))
    def created(self, row: Any) -> SafeString | str:
        return moment(row.created_at)
