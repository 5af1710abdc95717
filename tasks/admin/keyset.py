"""Lists of tables that may hold millions of rows: newest first, paged by primary key, counted up to a cap."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.db.utils import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from tasks.admin.screen import ReadOnlyScreen
from tasks.figures.bounded import bounded_queries

M = TypeVar("M", bound=Model)

BEFORE_VAR = "before"
COUNT_CAP = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at runtime
    """Counts no further than the cap; beyond it, how many more there are is not worth reading them all."""

    @property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: COUNT_CAP + 1].count())


class KeysetChangeList(ChangeList):
    """A page is the rows before a key, so that the thousandth page costs what the first costs."""

    before = ""
    older: Any = None

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        # The key is no filter: filters and their links must not see it.
        self.before = (self.filter_params.pop(BEFORE_VAR, None) or [""])[-1]
        self.params.pop(BEFORE_VAR, None)
        return super().get_queryset(request, exclude_parameters)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        rows = self.queryset
        if self.before:
            try:
                rows = rows.filter(pk__lt=self.before)
            except (ValidationError, ValueError) as error:
                raise IncorrectLookupParameters from error
        page = list(rows[: self.list_per_page + 1])
        self.older = page[self.list_per_page - 1].pk if len(page) > self.list_per_page else None
        self.result_list = page[: self.list_per_page]
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        is_whole = not self.before and self.older is None
        self.result_count = len(self.result_list) if is_whole else self.paginator.count
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = False

    @property
    def count_text(self) -> str:
        return f"{COUNT_CAP:,}+" if self.result_count > COUNT_CAP else f"{self.result_count:,}"

    @property
    def kept_params(self) -> list[tuple[str, str]]:
        """What the search form keeps of the address: the filters."""
        return [(name, values[-1]) for name, values in self.filter_params.items() if name != SEARCH_VAR]

    @property
    def link_without_search(self) -> str:
        return self.get_query_string(remove=[SEARCH_VAR])

    @property
    def older_link(self) -> str:
        return self.get_query_string({BEFORE_VAR: str(self.older)}) if self.older else ""

    @property
    def newest_link(self) -> str:
        return self.get_query_string() if self.before else ""


class KeysetScreen(ReadOnlyScreen[M]):
    """A read-only list of a large table. What takes the database too long is given up with a hint."""

    change_list_template = "admin/keyset_change_list.html"
    paginator = CappedPaginator
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "GET":
            # Actions call lifecycle functions, which open their own transactions.
            answer: HttpResponse = super().changelist_view(request, extra_context)
            return answer
        try:
            with bounded_queries():
                response: HttpResponse = super().changelist_view(request, extra_context)
                return response
        except OperationalError:
            if not request.GET:
                raise
            messages.error(request, "That took the database too long. Choose a shorter time, or fewer filters.")
            return HttpResponseRedirect(request.path)
