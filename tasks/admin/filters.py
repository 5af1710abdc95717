"""Filters of the list of tasks. Each can be answered by an index or by walking the newest rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from tasks.models import Queue
from tasks.registry import all_types
from tasks.statuses import SHOWN, Status

Choices = list[tuple[str, str]]

PERIODS = {"hour": ("Last hour", timedelta(hours=1)), "day": ("Last day", timedelta(days=1)),
           "week": ("Last week", timedelta(days=7))}  # fmt: skip


def first_id(age: timedelta) -> UUID:
    """Return the smallest UUIDv7 of that age: ids begin with the milliseconds of the Unix time (RFC 9562, 5.7)."""
    milliseconds = int((timezone.now() - age).timestamp() * 1000)
    return UUID(int=milliseconds << 80)


class WordFilter(SimpleListFilter):
    """A filter whose value comes from the address: NUL characters, which Postgres refuses, are left out."""

    def value(self) -> str | None:
        value = super().value()
        return value.replace("\0", "") if value else None


class StatusFilter(WordFilter):
    """By the words that people see."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(word, word.capitalize()) for word in SHOWN]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.shown_as([self.value()]) if self.value() else queryset  # type: ignore[attr-defined]


class TypeFilter(WordFilter):
    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, name) for name in all_types()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(type=self.value()) if self.value() else queryset


class QueueFilter(WordFilter):
    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, title) for name, title in Queue.objects.values_list("name", "title")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(queue=self.value()) if self.value() else queryset


class CreatedFilter(WordFilter):
    """By the primary key, which begins with the time: no index of `created_at` is needed."""

    title = "created"
    parameter_name = "created"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(name, label) for name, (label, _age) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        period = PERIODS.get(self.value() or "")
        return queryset.filter(pk__gte=first_id(period[1])) if period else queryset


class ErrorFilter(WordFilter):
    """By the code of a failure. Shown only when a link from the failures has set it: codes are open-ended."""

    title = "error"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        return [(self.value() or "", self.value() or "")] if self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=Status.FAILED, error__code=self.value()) if self.value() else queryset


class BatchFilter(WordFilter):
    """By batch. Shown only when a link from a batch has set it."""

    title = "batch"
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
