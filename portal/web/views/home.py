"""Home: what runs and waits now, what happened lately, what is left of the plan, a quick submit."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render

from portal.web.forms.task_input import quick_field
from portal.web.groups import group
from portal.web.people import SignedInRequest
from portal.web.top_level import find_work
from portal.web.uploads import room_of
from tasks.figures.quota import read_quota
from tasks.models import Task
from tasks.registry import all_types
from tasks.statuses import NOT_STARTED

SHOWN_NOW = 8
SHOWN_RECENT = 10
# Tasks of one batch are one row.
LOOKED_AT = 50


@login_required
def home(request: SignedInRequest) -> HttpResponse:
    """Show the page, or only its live part to the script that keeps it fresh."""
    mine = Task.objects.of(request.user).with_content().order_by("-id")
    # Running ones first: a thousand queued ones must not hide them.
    running = list(mine.filter(status="running").order_by("node", "-id")[:LOOKED_AT])
    waiting = list(mine.filter(status__in=NOT_STARTED).order_by("id")[:LOOKED_AT])
    now = group([*running, *waiting])[:SHOWN_NOW]
    ended = find_work(request.user, most=SHOWN_RECENT + SHOWN_NOW, ended=True)
    going_on = {row.id for row in now}
    context: dict[str, Any] = {
        "now": now,
        "recent": [row for row in group(ended.rows) if row.id not in going_on][:SHOWN_RECENT],
        "recent_goes_on": ended.end is not None,
        "quota": read_quota(request.user),
    }
    if request.headers.get("HX-Request"):
        return render(request, "web/home/live.html", context)
    ready = [definition for definition in all_types().values() if definition.readiness().ready]
    quick_types = [definition for definition in ready if quick_field(definition)]
    quick_types.sort(key=lambda definition: definition.diagnostic)
    context |= {
        "types": [definition for definition in ready if not definition.diagnostic] or ready,
        "quick_types": quick_types,
        "submit_key": uuid4().hex,
        "room": room_of(context["quota"]),
    }
    return render(request, "web/home/page.html", context)
