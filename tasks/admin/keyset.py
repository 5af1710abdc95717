"""Lists of tables that may hold millions of rows: newest first, paged by primary key, counted up to a cap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.db.utils import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy

from tasks.admin.screen import ReadOnlyScreen
from tasks.figures.bounded import bounded_queries
from tasks.figures.depths import at_least
from tasks.models.newest import count, find

M = TypeVar("M", bound=Model)

BEFORE_VAR = "before"
COUNT_CAP = 1_000
TOO_LONG = gettext_lazy("That took the database too long. Choose a shorter time, or fewer filters.")


class Places(NamedTuple):
    """See `tasks.models.newest.find`."""

    sources: Sequence[QuerySet[Any]]
    by_index: QuerySet[Any] | None = None


class KeysetChangeList(ChangeList):
    """A page is the rows before a key, so that the thousandth page costs what the first costs."""

    before = ""
    older: Any = None
    is_counted = True

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        # The key is no filter: filters and their links must not see it.
        self.before = (self.filter_params.pop(BEFORE_VAR, None) or [""])[-1]
        self.params.pop(BEFORE_VAR, None)
        return super().get_queryset(request, exclude_parameters)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        screen: KeysetScreen[Any] = self.model_admin  # type: ignore[assignment]
        places = screen.places(self.given)
        try:
            found = find(
                self.queryset, places.sources, most=self.list_per_page, after=self.before or None,
                by_index=places.by_index,
            )  # fmt: skip
        except (ValidationError, ValueError) as error:
            raise IncorrectLookupParameters from error
        self.older = found.end
        self.result_list = found.rows
        self.paginator = Paginator(found.rows, self.list_per_page)
        self.result_count, self.is_counted = len(found.rows), not self.before and found.end is None
        if not self.is_counted:
            self.result_count, self.is_counted = count(self.queryset, places.sources, most=COUNT_CAP)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = False

    @property
    def given(self) -> dict[str, str]:
        """The filters of the address, and what is searched for."""
        given = {name: values[-1].replace("\0", "") for name, values in self.filter_params.items()}
        return given | {SEARCH_VAR: self.query.replace("\0", "")}

    @property
    def count_text(self) -> str:
        return at_least(self.result_count, not self.is_counted) if self.result_count else "0" if self.is_counted else ""

    @property
    def is_searching(self) -> bool:
        """Say whether the page ends for having looked at enough, and not for being full."""
        return self.older is not None and len(self.result_list) < self.list_per_page

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
    sortable_by = ()

    def places(self, given: Mapping[str, str]) -> Places:
        """Return where the rows of a list with these filters and this search are looked for."""
        return Places([self.model._default_manager.all()])

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
            messages.error(request, TOO_LONG)
            return HttpResponseRedirect(request.path)
