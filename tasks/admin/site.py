"""The admin site: Django's, with our index, our sections and the portal's own sign-in."""

from __future__ import annotations

import logging
from functools import partial, wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from tasks.admin.access import HX_REQUEST
from tasks.figures.bounded import took_too_long
from tasks.measures import NOTHING

logger = logging.getLogger(__name__)

# Other apps' models stay out unless listed here. django-q2's four screens unpickle rows, which runs
# whatever a forged row says; those of allauth show the secrets of second factors.
SHOWN_APPS = frozenset({"tasks", "accounts", "auth"})


class PortalAdminSite(AdminSite):
    site_header = "Portal"
    site_title = gettext_lazy("Portal operations")
    index_title = gettext_lazy("Overview")
    index_template = "admin/overview.html"
    # Our sections are in the header; they work without JavaScript.
    enable_nav_sidebar = False
    empty_value_display = NOTHING

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Nothing is deleted by the dozen: tasks, files and people have their own ways to go.
        self.disable_action("delete_selected")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models of the apps we show; those of others are left out silently, as they register themselves."""
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        shown = [model for model in models if model._meta.app_label in SHOWN_APPS]
        super().register(shown, admin_class, **options)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        from tasks.admin.cause_page import CauseView
        from tasks.admin.charts import ChartsView
        from tasks.admin.failures import FailuresView
        from tasks.admin.go import GoView
        from tasks.admin.types import ACTIONS, TypesView

        cause, types = CauseView(self), TypesView(self)
        return [
            path("go/", self.admin_view(GoView(self).page), name="go"),
            path("charts/", self.admin_view(ChartsView(self).page), name="charts"),
            path("failures/", self.admin_view(FailuresView(self).page), name="failures"),
            path("failures/<int:cause_id>/", self.admin_view(cause.page), name="tasks_cause_change"),
            path("failures/<int:cause_id>/<str:verb>/", self.admin_view(cause.act), name="tasks_cause_act"),
            path("types/", self.admin_view(types.page), name="types"),
            *(
                path(
                    f"types/<str:type_name>/{action.name}/",
                    self.admin_view(types.view(action)),
                    name=f"type_{action.name}",
                )
                for action in ACTIONS
            ),
            *super().get_urls(),
        ]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wrap each of the site's views: addresses with what no row can have, and refused methods, have their pages."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            from tasks.admin.error_pages import only_posted

            if "\0" in request.path_info:
                raise Http404("There is no such page.")
            response: HttpResponseBase = inner(request, *args, **kwargs)
            return only_posted(request, response) if isinstance(response, HttpResponseNotAllowed) else response

        return answer

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        # Every page asks for it, which asks for the rights to each model; but for one they show our sections instead.
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        from tasks.admin import sections

        return super().each_context(request) | {
            "overview_section": sections.overview(request),
            "section_groups": sections.section_groups(request),
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from tasks.admin.overview import overview

        figures, is_slow = None, False
        try:
            figures = overview() if request.user.has_perm("tasks.view_task") else None
        except OperationalError as error:
            if not took_too_long(error):
                raise
            logger.warning("Reading the overview took too long: %s", error)
            is_slow = True
        if HX_REQUEST in request.headers and figures is not None:
            # The page renews itself: only what changes, and no message to a person is used up.
            return TemplateResponse(request, "admin/overview/live.html", {"overview": figures})
        return super().index(request, {"overview": figures, "is_slow": is_slow} | (extra_context or {}))

    # As Django's own: a cached redirect would outlive the session it was made for.
    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send to the portal's sign-in page, with its second factor and rate limits.

        Raises:
            PermissionDenied: someone who is signed in but no operator; signing in again would not help.
        """
        index = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return HttpResponseRedirect(index)
        if request.user.is_authenticated:
            raise PermissionDenied("Only operators may open this page.")
        wanted = request.GET.get(REDIRECT_FIELD_NAME, index)
        # allauth refuses addresses of other sites.
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        return redirect("account_change_password")
