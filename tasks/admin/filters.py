"""Filters of the list of tasks. Each can be answered by an index or by walking the newest rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.search import read_search
from tasks.models import Cause, Queue
from tasks.models.ids import first_id
from tasks.registry import all_types, internal_types
from tasks.statuses import SHOWN
from tasks.ui.sentences import in_language
from tasks.ui.words import look_of_status

Choices = list[tuple[str, str]]

PERIODS = {
    "hour": (gettext_lazy("Last hour"), timedelta(hours=1)),
    "day": (gettext_lazy("Last day"), timedelta(days=1)),
    "week": (gettext_lazy("Last week"), timedelta(days=7)),
}


class WordFilter(SimpleListFilter):
    """A filter whose value comes from the address: NUL characters, which Postgres refuses, are left out."""

    def value(self) -> str | None:
        value = super().value()
        return value.replace("\0", "") if value else None


class StatusFilter(WordFilter):
    """By the words that people see."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(word, str(look_of_status(word).label)) for word in SHOWN]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.shown_as([self.value()]) if self.value() else queryset  # type: ignore[attr-defined]


class TypeFilter(WordFilter):
    title = gettext_lazy("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, name) for name in all_types()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(type=self.value()) if self.value() else queryset


class QueueFilter(WordFilter):
    title = gettext_lazy("queue")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, in_language(title)) for name, title in Queue.objects.values_list("name", "title")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(queue=self.value()) if self.value() else queryset


class CreatedFilter(WordFilter):
    """By the primary key, which begins with the time: no index of `created_at` is needed."""

    title = gettext_lazy("created")
    parameter_name = "created"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, str(label)) for name, (label, _age) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        period = PERIODS.get(self.value() or "")
        return queryset.filter(pk__gte=first_id(timezone.now() - period[1])) if period else queryset


class CauseFilter(WordFilter):
    """By the cause of a failure. Shown only when the page of a cause has set it."""

    title = gettext_lazy("cause")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        if not self.value():
            return []
        # Django leaves out a filter without a choice: then what is no cause would have all tasks.
        cause = Cause.objects.filter(pk=cause_id(self.value()) or 0).first()
        return [(self.value() or "", Truncator(str(cause)).chars(60) if cause else gettext("no such cause"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        cause = cause_id(self.value())
        return queryset.failed_of(cause) if cause else queryset.none()  # type: ignore[attr-defined]


class BatchFilter(WordFilter):
    """By batch. Shown only when a link from a batch has set it."""

    title = gettext_lazy("batch")
    parameter_name = "batch"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(self.value() or "", (self.value() or "")[:13])] if self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        try:
            return queryset.filter(batch=UUID(self.value()))
        except ValueError:
            return queryset.none()


class SystemFilter(WordFilter):
    """The portal's own tasks, such as tries of webhooks, are left out unless somebody looks for them."""

    title = gettext_lazy("origin")
    parameter_name = "system"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [("shown", gettext("With the portal's own"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        # Django's first choice is the one without a value, and calls it All.
        first, *others = super().choices(changelist)
        yield first | {"display": gettext("Users' tasks")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(type__in=internal_types()) if hides_system(request.GET) else queryset


def cause_id(text: str | None) -> int | None:
    """Return the id of a cause as an address has it; None for what is none."""
    is_one = text and text.isascii() and text.isdigit() and len(text) < 19
    return int(text) or None if text and is_one else None


def hides_system(given: Mapping[str, str]) -> bool:
    """Say whether a list with these filters leaves out the portal's own tasks: whoever names one means it."""
    search = read_search(given.get("q", "").replace("\0", ""))
    named = given.get("type") or given.get("batch") or given.get("cause") or given.get("system") == "shown"
    return not named and search.ids is None
