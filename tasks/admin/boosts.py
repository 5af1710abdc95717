"""Limits changed for a user for a while: given and ended by operators, who need not be able to change anything else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from accounts.limits import limits_of
from accounts.models import PlanOverride, User
from tasks import audit
from tasks.admin.access import operator_of
from tasks.admin.carry_out import act_on_row
from tasks.admin.formats import link_button, moment
from tasks.admin.user_forms import BoostForm
from tasks.lifecycle.apply_limits import apply_after_commit
from tasks.measures import NOTHING
from tasks.operations.action import Action

GIVE, END = "accounts.add_planoverride", "accounts.delete_planoverride"


def _end(override: PlanOverride, _by: User, _choice: object) -> None:
    PlanOverride.objects.filter(pk=override.pk).delete()
    apply_after_commit(override.user_id)


ENDED = Action(
    name="end_boost",
    label=gettext_lazy("End"),
    title=gettext_lazy("End {it}"),
    done=gettext_lazy("{it} has ended."),
    permission=END,
    tone="danger",
    text=gettext_lazy("The limit is again what the plan of {row.user} says. What runs goes on."),
    act=_end,
    audits=lambda override: {"name": str(override), "user": override.user.email},
)


def boost_urls(site: admin.AdminSite) -> list[URLPattern]:
    """Return the addresses, for the users' screen."""
    return [
        path("<int:user_id>/boost/", site.admin_view(boost), name="accounts_user_boost"),
        path("<int:user_id>/boost/<int:override_id>/end/", site.admin_view(end), name="accounts_user_end_boost"),
    ]


def boost(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show the form, or change the limit."""
    if not request.user.has_perm(GIVE):
        raise PermissionDenied("You may look at limits, but not change them.")
    user = User.objects.select_related("plan").filter(pk=min(user_id, _MOST_ID)).first()
    if user is None:
        raise Http404("There is no such user.")
    back = reverse("admin:accounts_user_change", args=[user.pk])
    days = request.GET.get("days")
    asked = {"days": int(days)} if days in {"1", "7", "30"} else {}
    form = BoostForm(request.POST or None, initial={"value": 2 * limits_of(user).slots or 1} | asked)
    if request.method == "POST" and form.is_valid():
        given = _give(user, operator_of(request), form.cleaned_data)
        messages.success(request, format_html(gettext("{} until {}."), str(given), moment(given.ends_at)))
        return HttpResponseRedirect(back)
    context = admin.site.each_context(request) | {
        "title": gettext("Boost {user}").format(user=user), "form": form, "back": back, "current": limits_of(user),
    }  # fmt: skip
    return TemplateResponse(request, "admin/boost.html", context)


def end(request: HttpRequest, user_id: int, override_id: int) -> HttpResponse:
    """Ask, then put a limit back to the plan's."""
    if not request.user.has_perm(END):
        raise PermissionDenied("You may look at limits, but not change them.")
    found = PlanOverride.objects.select_related("user").filter(
        pk=min(override_id, _MOST_ID), user=min(user_id, _MOST_ID)
    )
    override = found.first()
    if override is None:
        raise Http404("This change of a limit has ended already.")
    return act_on_row(request, ENDED, override, back=reverse("admin:accounts_user_change", args=[user_id]))


def limits_line(user: User, permissions: set[str]) -> SafeString | str:
    """Return the limits that are changed now, each with what ends it, and the button that changes one."""
    shown = [
        (
            str(one).partition(" for ")[0],
            moment(one.ends_at) if one.ends_at else gettext("it is ended"),
            _end_button(one, permissions),
        )
        for one in user.overrides.filter(Q(ends_at=None) | Q(ends_at__gt=Now())).order_by("limit")
    ]
    lines = format_html_join("", gettext("<div>{} until {} {}</div>"), shown)
    button = (
        link_button(reverse("admin:accounts_user_boost", args=[user.pk]), gettext("Boost…"))
        if GIVE in permissions
        else ""
    )
    return format_html("{}{}", lines, button) or NOTHING


_MOST_ID = 2**63 - 1


def _end_button(override: PlanOverride, permissions: set[str]) -> SafeString | str:
    if END not in permissions:
        return ""
    return link_button(reverse("admin:accounts_user_end_boost", args=[override.user_id, override.pk]), gettext("End…"))


def _give(user: User, by: User, given: dict[str, Any]) -> PlanOverride:
    ends_at = timezone.now() + timedelta(days=given["days"])
    values = {"value": given["value"], "reason": given["reason"], "ends_at": ends_at, "made_by": by}
    with transaction.atomic():
        override, _ = PlanOverride.objects.update_or_create(user=user, limit=given["limit"], defaults=values)
        audit.record(
            by, "boost", "user", user.pk, name=user.email, limit=override.limit, value=override.value,
            until=ends_at.isoformat(timespec="seconds"), reason=override.reason,
        )  # fmt: skip
        apply_after_commit(user.pk)
    return override
