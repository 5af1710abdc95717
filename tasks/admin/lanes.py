"""Lanes: how many slots each user has in each cluster, and how many are taken."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks import sql
from tasks.admin.formats import capped_text, user_link
from tasks.admin.screen import ReadOnlyScreen
from tasks.models import Lane

# Held tasks are counted no further in any one lane.
HELD_CAP = 10_000


class FullFilter(SimpleListFilter):
    title = gettext_lazy("slots")
    parameter_name = "slots"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("full", gettext("All taken")), ("used", gettext("Some taken"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "full":
            return queryset.filter(taken__gte=F("slots"), slots__gt=0)
        return queryset.filter(taken__gt=0) if self.value() == "used" else queryset


class HeldChangeList(ChangeList):
    """Counts the held tasks of the lanes on the page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        counts = held_counts([row.pk for row in rows])
        for row in rows:
            row.held_count = counts.get(row.pk, 0)
        self.result_list = rows


class HeldCount(NamedTuple):
    lane: int
    held: int


def held_counts(lanes: list[int]) -> dict[int, int]:
    """Return how many tasks are held in each of these lanes, no further than the cap."""
    return dict(sql.run("figures/held_counts", {"lanes": lanes, "cap": HELD_CAP + 1}, row=HeldCount))


class LaneScreen(ReadOnlyScreen[Lane]):
    """Slots follow the plan and its overrides; they are changed there."""

    list_display = ("owner", "plan", "cluster", "taken_of_slots", "held", "weight")
    list_filter = (FullFilter,)
    list_select_related = ("user__plan", "cluster")
    search_fields = ("user__email",)
    search_help_text = gettext_lazy("An e-mail address or a part of it")
    ordering = ("-taken", "user_id")
    sortable_by = ()
    list_display_links = None
    fields = ("owner", "plan", "cluster", "taken_of_slots", "held", "weight")
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return HeldChangeList

    @admin.display(description=gettext_lazy("user"))
    def owner(self, lane: Lane) -> SafeString | str:
        return user_link(lane.user)

    @admin.display(description=gettext_lazy("plan"))
    def plan(self, lane: Lane) -> str:
        return lane.user.plan.name

    @admin.display(description=gettext_lazy("slots taken"))
    def taken_of_slots(self, lane: Lane) -> str:
        return gettext("{count} of {most}").format(count=lane.taken, most=lane.slots)

    @admin.display(description=gettext_lazy("held"))
    def held(self, lane: Any) -> str:
        count = lane.held_count if hasattr(lane, "held_count") else held_counts([lane.pk]).get(lane.pk, 0)
        return capped_text(count, HELD_CAP)
