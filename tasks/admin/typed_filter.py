"""The filter of the tasks that is typed: when they ended, the node that ran them last, the code of their failure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from django.contrib.admin import ListFilter, ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy

from tasks.figures.nodes import shown_nodes
from tasks.models.ids import first_id
from tasks.operations.task_filter import nodes_called
from tasks.statuses import Status
from tasks.ui.context import time_zone_of

TYPED = ("error", "node", "ended_after", "ended_before")
MOST_NODES = 100


@dataclass(frozen=True)
class Typed:
    """What was typed. Times without a zone are the reader's; `wrong` names the fields that hold no time."""

    error: str
    node: str
    ended_after: datetime | None
    ended_before: datetime | None
    wrong: tuple[str, ...]


def read_typed(request: HttpRequest) -> Typed:
    """Return what the address of the list says."""
    given = {name: request.GET.get(name, "").replace("\0", "").strip() for name in TYPED}
    zone = time_zone_of(getattr(request, "user", None))
    times = {name: read_time(given[name], zone) for name in TYPED[2:]}
    wrong = tuple(name for name, when in times.items() if given[name] and when is None)
    return Typed(given["error"], given["node"], times["ended_after"], times["ended_before"], wrong)


class TypedFilter(ListFilter):
    """A form instead of links; it keeps the other filters."""

    title = gettext_lazy("end, node, error")
    parameter_names = TYPED
    template = "admin/tasks/task/typed_filter.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[Any], model_admin: ModelAdmin[Any]
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.typed = read_typed(request)
        self.given = {name: params.pop(name)[-1] for name in TYPED if name in params}

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(TYPED)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield the form as the one choice there is."""
        others = [(name, value) for name, value in changelist.get_filters_params().items() if name not in TYPED]
        nodes = list(shown_nodes().order_by("name").values_list("name", flat=True).distinct()[:MOST_NODES])
        yield {
            "query_string": changelist.get_query_string(),
            "kept": [(name, values[-1]) for name, values in others]
            + ([("q", changelist.query)] if changelist.query else []),
            "given": self.given,
            "wrong": self.typed.wrong,
            "nodes": sorted({*nodes, *([self.typed.node] if self.typed.node else [])}),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.typed.wrong:
            return queryset.none()
        conditions = {
            "finished_at__gt": self.typed.ended_after,
            "finished_at__lt": self.typed.ended_before,
            "node__in": nodes_called(self.typed.node) if self.typed.node else None,
            "error__code": self.typed.error or None,
            "status": Status.FAILED if self.typed.error else None,
        }
        return queryset.filter(**{name: value for name, value in conditions.items() if value is not None})


def latest_id(ended_before: str) -> UUID | None:
    """Return an id that no task has reached which ended before that time, whatever zone it is of."""
    when = read_time(ended_before, UTC)
    return first_id(when, moved=timedelta(days=1)) if when else None


def read_time(text: str, zone: tzinfo) -> datetime | None:
    """Return a time as fields for dates and times write it; None for what is none."""
    try:
        found = parse_datetime(text)
        if found is None:
            return None
        # Beyond the years that there are, this fails.
        return (timezone.make_aware(found, zone) if timezone.is_naive(found) else found).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
