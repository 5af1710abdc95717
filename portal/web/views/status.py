"""Status: how the system is doing. Public, so it holds nothing of any user and names no machine."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.web.charts import bars_by_minute
from tasks.figures.public_status import read_status
from tasks.registry import all_types


def show(request: HttpRequest) -> HttpResponse:
    facts = read_status()
    types = [
        {"title": definition.title, "name": definition.name, "readiness": definition.readiness()}
        for definition in all_types().values()
        if not definition.diagnostic
    ]
    context = {"facts": facts, "bars": bars_by_minute(facts.bars), "types": types}
    template = "web/status/live.html" if request.headers.get("HX-Request") else "web/status/page.html"
    return render(request, template, context)
