"""Usage: what the plan allows, what is used of it, and what ran on the last days."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render

from portal.web.charts import bars_by_day
from portal.web.people import SignedInRequest
from tasks.figures.quota import read_quota
from tasks.figures.usage import first_day, read_usage

DAYS = 14


@login_required
def show(request: SignedInRequest) -> HttpResponse:
    rows = read_usage(request.user, since=first_day(DAYS))
    context = {"quota": read_quota(request.user), "rows": rows, "bars": bars_by_day(rows, days=DAYS), "days": DAYS}
    return render(request, "web/usage/page.html", context)
