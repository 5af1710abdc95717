"""Status: how the system is doing. Public, so it holds nothing of any user and names no machine."""

from __future__ import annotations

import logging

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.web.charts import bars_by_minute
from tasks.figures.bounded import took_too_long
from tasks.figures.paused_types import paused_types
from tasks.figures.public_status import read_status
from tasks.registry import all_types

logger = logging.getLogger(__name__)


def show(request: HttpRequest) -> HttpResponse:
    """Show the figures, or say that reading them takes too long; a page that has older ones keeps them then."""
    try:
        facts = read_status()
    except OperationalError as error:
        if not took_too_long(error):
            raise
        logger.warning("Reading the public status took too long: %s", error)
        answer = render(request, "web/status/slow.html", status=503)
        answer.headers["Retry-After"] = "5"
        return answer
    paused = paused_types()
    types = [
        {
            "title": definition.title, "name": definition.name, "readiness": definition.readiness(),
            "is_paused": definition.name in paused,
        }
        for definition in all_types().values()
        if not definition.diagnostic
    ]  # fmt: skip
    context = {"facts": facts, "bars": bars_by_minute(facts.bars), "types": types}
    template = "web/status/live.html" if request.headers.get("HX-Request") else "web/status/page.html"
    return render(request, template, context)
