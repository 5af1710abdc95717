"""Plans: the limits that users share. A change takes effect in their lanes at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy

from accounts.models import Plan, User
from tasks.admin.acting import ActingScreen
from tasks.admin.screen import AuditedScreen
from tasks.admin.user_forms import PlanForm
from tasks.errors import InvalidInput
from tasks.lifecycle.apply_limits import apply_plan
from tasks.measures import NOTHING
from tasks.operations.action import Action, Choice

# What lanes hold a copy of; everything else is read when a task is submitted.
IN_LANES = {"slots", "weight"}


def _make_default(plan: Plan, _by: User, _choice: Choice) -> None:
    Plan.objects.filter(is_default=True).update(is_default=False)
    Plan.objects.filter(pk=plan.pk).update(is_default=True)


MAKE_DEFAULT = Action(
    name="make_default",
    label=gettext_lazy("Give to new users"),
    title=gettext_lazy("Give {it} to new users"),
    done=gettext_lazy("New users get the plan {it}."),
    things=ngettext_lazy("{count} plan", "{count} plan", "count"),
    reports_each=True,
    permission="accounts.change_plan",
    act=_make_default,
    audits=lambda plan: {"name": plan.name},
)


class PlanScreen(ActingScreen[Plan], AuditedScreen[Plan]):
    form = PlanForm
    list_display = ("name", "whose", "slots", "weight", "waiting", "minute", "day", "max_priority", "allowances",
                    "keep_days", "user_count")  # fmt: skip
    sortable_by = ()
    selected_actions = (MAKE_DEFAULT,)
    readonly_fields = ("is_default",)
    fieldsets = (
        (None, {"fields": ("name", "is_default")}),
        (gettext_lazy("Share of the workers"), {"fields": ("slots", "weight", "max_priority", "longest_timeout")}),
        (
            gettext_lazy("How much may be submitted"),
            {"fields": ("max_waiting", "per_minute", "per_day", "high_per_day", "urgent_per_day")},
        ),
        (gettext_lazy("What is kept"), {"fields": ("file_bytes", "keep_days")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return super().get_queryset(request).annotate(user_total=Count("users"))

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        # A plan that people are on cannot go, nor the one that new people get.
        if obj is not None and (obj.is_default or obj.users.exists()):
            return False
        return super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and IN_LANES & set(form.changed_data):
            # After the commit: lanes are locked in transactions of their own.
            transaction.on_commit(lambda: self._apply(request, obj))

    def chosen(self, request: HttpRequest, action: Action, rows: QuerySet[Plan]) -> Sequence[Plan]:
        plans = list(rows[:2])
        if len(plans) != 1:
            raise InvalidInput("Choose one plan: new users get just one.")
        return plans

    def _apply(self, request: HttpRequest, plan: Plan) -> None:
        count = apply_plan(plan)
        messages.info(
            request,
            gettext("The lanes of {count} users on {plan} follow.").format(count=f"{count:,}", plan=plan),
        )

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("for"))
    def whose(self, plan: Plan) -> str:
        return gettext("new users") if plan.is_default else NOTHING

    @admin.display(description=gettext_lazy("most waiting"))
    def waiting(self, plan: Plan) -> str:
        return f"{plan.max_waiting:,}"

    @admin.display(description=gettext_lazy("per minute"))
    def minute(self, plan: Plan) -> str:
        return _limit(plan.per_minute)

    @admin.display(description=gettext_lazy("per day"))
    def day(self, plan: Plan) -> str:
        return _limit(plan.per_day)

    @admin.display(description=gettext_lazy("high / urgent a day"))
    def allowances(self, plan: Plan) -> str:
        return f"{_limit(plan.high_per_day)} / {_limit(plan.urgent_per_day)}"

    @admin.display(description=gettext_lazy("users"))
    def user_count(self, plan: Any) -> SafeString:
        users = reverse("admin:accounts_user_changelist")
        return format_html('<a href="{}?plan__id__exact={}">{}</a>', users, plan.pk, f"{plan.user_total:,}")


def _limit(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"
