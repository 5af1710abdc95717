"""Lists that renew themselves in place while somebody looks: their rows are fetched anew, not the whole page."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest

from tasks.admin.access import HX_REQUEST
from tasks.admin.screen import Screen

M = TypeVar("M", bound=Model)


class LiveListScreen(Screen[M]):
    """A list whose page has a version (`tasks.admin.live.find_page`), by the name `live_page`."""

    change_list_template = "admin/live_change_list.html"
    live_page = ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        answer = super().changelist_view(request, {"live_page": self.live_page} | (extra_context or {}))
        if HX_REQUEST in request.headers and hasattr(answer, "template_name"):
            answer.template_name = "admin/parts/live_results.html"
        return answer
