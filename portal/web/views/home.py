"""Home: what runs and waits now, what happened lately, what is left of the plan, a quick submit."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render

from portal.web.forms.task_input import quick_field
from portal.web.input_files import name_files
from portal.web.people import SignedInRequest
from tasks.figures.quota import read_quota
from tasks.models import Task
from tasks.registry import all_types
from tasks.statuses import TERMINAL

SHOWN_NOW = 8
SHOWN_RECENT = 10


@login_required
def home(request: SignedInRequest) -> HttpResponse:
    """Show the page, or only its live part to the script that keeps it fresh."""
    mine = Task.objects.of(request.user).select_related("content").order_by("-id")
    # Running ones first: a thousand queued ones must not hide them.
    running = list(mine.filter(status="running")[:SHOWN_NOW])
    waiting = list(mine.unfinished().exclude(status="running").order_by("id")[: SHOWN_NOW - len(running)])
    context = {
        "now": name_files(running + waiting),
        "recent": name_files(mine.filter(status__in=TERMINAL)[:SHOWN_RECENT]),
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
    }
    return render(request, "web/home/page.html", context)
