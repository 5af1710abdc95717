"""Views of a list that an operator has kept: its filters under a name, shown as chips above the list."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from tasks.admin.access import operator_of
from tasks.admin.filter_from_request import FILTERS, NO_FILTERS, OPTIONS
from tasks.admin.screen import Screen
from tasks.names import MOST_OF_A_LINE, is_line
from tasks.search.saved_views import MOST_OF_AN_ADDRESS, MOST_VIEWS, Place, save_view, views_of

M = TypeVar("M", bound=Model)

PLACE: Place = "operators"


class ViewsScreen(Screen[M]):
    """The list of tasks, with what the operator who looks has kept of it."""

    change_list_template = "admin/tasks/task/list.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("views/", wrap(self.save_view), name="tasks_task_save_view"),
            path("views/<int:view_id>/delete/", wrap(self.forget_view), name="tasks_task_delete_view"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        shown = _filters_of(request.GET) if request.method == "GET" else ""
        views = {"views": list(views_of(operator_of(request), PLACE)), "shown_query": shown}
        return super().changelist_view(request, views | (extra_context or {}))

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the filters of the list under a name."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._require_view(request)
        name = request.POST.get("name", "").strip()
        query = _filters_of(QueryDict(request.POST.get("query", "")[:MOST_OF_AN_ADDRESS]))
        if not is_line(name):
            text = gettext("The name of a view is one line of 1 to %(most)s characters.") % {"most": MOST_OF_A_LINE}
            messages.error(request, text)
        elif not query:
            messages.error(request, gettext("There is nothing to save: nothing is filtered."))
        elif save_view(operator_of(request), name, query, PLACE):
            messages.success(request, gettext("Saved as “%(name)s”.") % {"name": name})
        else:
            messages.error(request, gettext("You have %(most)s views. Delete one first.") % {"most": MOST_VIEWS})
        return HttpResponseRedirect(f"{reverse('admin:tasks_task_changelist')}?{query}")

    def forget_view(self, request: HttpRequest, view_id: int) -> HttpResponse:
        """Delete a view; the tasks stay."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._require_view(request)
        view = get_object_or_404(views_of(operator_of(request), PLACE), pk=view_id)
        view.delete()
        messages.success(request, gettext("The view “%(name)s” was deleted.") % {"name": view.name})
        return HttpResponseRedirect(reverse("admin:tasks_task_changelist"))

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _filters_of(address: QueryDict) -> str:
    """Return the part of an address that filters: each filter once, in one order."""
    kept = QueryDict(mutable=True)
    for name in sorted((FILTERS | OPTIONS) - NO_FILTERS):
        if value := address.get(name, "").replace("\0", "").strip():
            kept[name] = value
    return kept.urlencode()
