"""Failures: what failed lately, a line a cause, so that one broken thing is one line and not a thousand."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.access import operator_of
from tasks.figures.bounded import bounded_queries
from tasks.figures.failing import BEHIND, MOST_CAUSES, PERIODS, failing_causes
from tasks.models import AlarmSettings
from tasks.operations.action import Words
from tasks.operations.bulk_action import bulk_actions
from tasks.ui.badge import status_badge
from tasks.ui.sparkline import sparkline

NAMES: dict[str, Words] = {
    "hour": gettext_lazy("Hour"),
    "day": gettext_lazy("Day"),
    "week": gettext_lazy("Week"),
    "month": gettext_lazy("Month"),
}
# What is shown: by its name in the address.
SHOWN: dict[str, tuple[Words, dict[str, Any]]] = {
    "": (gettext_lazy("Not muted"), {"muted": False}),
    "new": (gettext_lazy("New since yesterday"), {"only_new": True}),
    "mine": (gettext_lazy("Mine"), {}),
    "muted": (gettext_lazy("Muted"), {"muted": True}),
    "all": (gettext_lazy("All"), {}),
}


class FailuresView:
    """A page of the admin site that belongs to no one table."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def page(self, request: HttpRequest) -> HttpResponse:
        """Show the causes of the chosen period."""
        if not request.user.has_perm("tasks.view_task"):
            raise PermissionDenied
        period, show = period_of(request.GET.get("period")), request.GET.get("show", "")
        show = show if show in SHOWN else ""
        of = operator_of(request) if show == "mine" else None
        with bounded_queries():
            found = failing_causes(period, of=of, **SHOWN[show][1])
            noted_until = AlarmSettings.objects.values_list("failures_noted_until", flat=True).first()
        context = self.site.each_context(request) | {
            "title": gettext("Failures"),
            "lines": [(one, drawing(one.spans, period), status_badge(one.standing)) for one in found],
            "total": sum(one.tasks for one in found),
            "is_cut": len(found) == MOST_CAUSES,
            "period": period,
            "periods": [(name == period, label, _url(name, show)) for name, label in NAMES.items()],
            "shown": [(name == show, label, _url(period, name)) for name, (label, _) in SHOWN.items()],
            "is_filtered": bool(show),
            # No node is there, or there is more to note than one can.
            "noted_until": noted_until if noted_until and timezone.now() - noted_until > BEHIND else None,
            "actions": [action for action in bulk_actions("failures") if request.user.has_perm(action.permission)],
        }
        return TemplateResponse(request, "admin/failures/page.html", context)


def period_of(name: str | None) -> str:
    return name if name in PERIODS else "day"


def drawing(spans: list[int], period: str) -> Any:
    """Draw how many tasks failed in each span: all of them is what failed."""
    label = gettext("{count} failed, {period}").format(count=f"{sum(spans):,}", period=str(NAMES[period]).lower())
    return sparkline([(count, count) for count in spans], label)


def _url(period: str, show: str) -> str:
    return f"?{urlencode({name: value for name, value in (('period', period), ('show', show)) if value})}"
