"""/api/schema, /api/docs and the pages about problems: public."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from tasks.api import languages
from tasks.api.problems import advice_of, all_kinds, status_of, title_of


class SchemaView(SpectacularAPIView):
    """The OpenAPI document: JSON by default, YAML where it is asked for."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2]


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI with vendored assets, and without inline scripts, which the Content-Security-Policy forbids."""

    template_name = "api/docs.html"


@csrf_exempt
@require_safe
def problem_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show what a kind of problem means and what to do: the address in a problem's `type`."""
    kind = all_kinds().get(code)
    if kind is None:
        raise Http404
    described = {"code": code, "title": title_of(kind), "advice": advice_of(kind), "status": status_of(kind)}
    with languages.spoken(request):
        response = render(request, "api/problem.html", described)
        languages.mark(response)
    return response
