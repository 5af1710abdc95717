"""Charts: throughput, failures, how long tasks waited and ran; a script draws them from the table behind each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.figures.bounded import took_too_long
from tasks.figures.series import By, Sums
from tasks.figures.trends import SCALES, Trend, read_trends
from tasks.measures import NOTHING
from tasks.models import Queue
from tasks.operations.action import Words
from tasks.ui.sentences import in_language
from tasks.ui.sparkline import sparkline
from tasks.ui.words import duration, title_of_type

logger = logging.getLogger(__name__)

PERIODS: dict[str, Words] = {
    "hour": gettext_lazy("Hour"),
    "day": gettext_lazy("Day"),
    "week": gettext_lazy("Week"),
    "month": gettext_lazy("Month"),
}
SHARES = (0.5, 0.95)
# How the start of a span is written; a day is told by its date, in UTC as its sums are.
TIMES = {"hour": "H:i", "day": "H:i", "week": "D H:i", "month": "MONTH_DAY_FORMAT"}


@dataclass(frozen=True)
class Column:
    """One line of a chart, one column of its table."""

    title: Words
    tone: str


class Cell(NamedTuple):
    """A figure as people read it, and as the script that draws reads it: empty where there is none."""

    text: str
    value: str


class Row(NamedTuple):
    """A span of time: as it is written, when it began (seconds since 1970), and a cell for each column."""

    time: str
    start: float
    cells: list[Cell]


@dataclass(frozen=True)
class Chart:
    """A table of numbers by time; `kind` says what they are: a count, or seconds."""

    name: str
    title: Words
    kind: str
    columns: list[Column]
    rows: list[Row]


@dataclass(frozen=True)
class Line:
    """A queue or a type in the tables below the charts."""

    title: str
    url: str
    drawing: SafeString
    sums: Sums
    percent: str
    waits: str
    runs: str


class ChartsView:
    """A page of the admin site that belongs to no one table."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def page(self, request: HttpRequest) -> HttpResponse:
        """Show the charts of the chosen period, queue and type."""
        if not request.user.has_perm("tasks.view_task"):
            raise PermissionDenied
        given = {name: request.GET.get(name, "").replace("\0", "")[:200] for name in ("period", "queue", "type")}
        if given["period"] not in SCALES:
            given["period"] = "day"
        context = self.site.each_context(request) | {
            "title": gettext("Charts"),
            "periods": [(name, label, _url(given | {"period": name})) for name, label in PERIODS.items()],
            "given": given,
            "of": _of(given),
            "whole_url": _url({"period": given["period"]}),
        }
        try:
            context |= _figures(given)
        except OperationalError as error:
            if not took_too_long(error):
                raise
            logger.warning("Reading the charts took too long: %s", error)
            context["is_slow"] = True
        return TemplateResponse(request, "admin/charts/page.html", context)


def last_hour(by: By) -> dict[str, Trend]:
    """Return how the last hour went by queue or type, for their lists; nothing where reading it takes too long."""
    try:
        return {trend.label: trend for trend in read_trends("hour", by).by_label}
    except OperationalError as error:
        if not took_too_long(error):
            raise
        logger.warning("Reading the last hour took too long: %s", error)
        return {}


def _figures(given: dict[str, str]) -> dict[str, Any]:
    asked = {"queue": given["queue"], "type": given["type"]}
    by_queue = read_trends(given["period"], "queue", **asked)
    by_type = read_trends(given["period"], "type", **asked)
    queues = {name: in_language(title) for name, title in Queue.objects.values_list("name", "title")}
    return {
        "charts": _charts(by_queue.every, given["period"]),
        "is_partial": by_queue.is_partial,
        "total": by_queue.every.whole,
        "queues": [_line(trend, "queue", queues.get(trend.label, trend.label), given) for trend in by_queue.by_label],
        "types": [_line(trend, "type", title_of_type(trend.label), given) for trend in by_type.by_label],
    }


def _charts(trend: Trend, period: str) -> list[Chart]:
    def rows(cells_of: Callable[[Sums], list[Cell]]) -> list[Row]:
        return [Row(_time(start, period), start.timestamp(), cells_of(sums)) for start, sums in trend.points]

    both = [Column(gettext_lazy("Half within"), "accent"), Column(gettext_lazy("95 % within"), "warn")]
    return [
        Chart(
            "ended", gettext_lazy("Attempts that ended"), "count",
            [Column(gettext_lazy("Succeeded"), "ok"), Column(gettext_lazy("Failed"), "bad")],
            rows(lambda sums: [_count(sums.succeeded), _count(sums.failed)]),
        ),
        Chart(
            "failed", gettext_lazy("Failure rate"), "percent", [Column(gettext_lazy("Failed"), "bad")],
            rows(lambda sums: [failed_percent(sums)]),
        ),
        Chart(
            "waited", gettext_lazy("How long tasks waited"), "seconds", both,
            rows(lambda sums: [_seconds(sums.wait_percentile(share)) for share in SHARES]),
        ),
        Chart(
            "ran", gettext_lazy("How long they ran"), "seconds", both,
            rows(lambda sums: [_seconds(sums.run_percentile(share)) for share in SHARES]),
        ),
    ]  # fmt: skip


def _count(value: int) -> Cell:
    return Cell(f"{value:,}", str(value))


def _seconds(value: float | None) -> Cell:
    return Cell(duration(value), "" if value is None else f"{value:.4g}")


def failed_percent(sums: Sums) -> Cell:
    """Return how much of what ended failed."""
    if not sums.total:
        return Cell(NOTHING, "")
    percent = 100 * sums.failed / sums.total
    return Cell(f"{percent:.1f} %", f"{percent:.4g}")


def _line(trend: Trend, by: By, title: str, given: dict[str, str]) -> Line:
    sums = trend.whole
    return Line(
        title=title,
        url=_url(given | {by: trend.label}),
        drawing=drawing(trend, title),
        sums=sums,
        percent=failed_percent(sums).text,
        waits=pair_text(sums.wait_percentile(0.5), sums.wait_percentile(0.95)),
        runs=pair_text(sums.run_percentile(0.5), sums.run_percentile(0.95)),
    )


def pair_text(median: float | None, slow: float | None) -> str:
    """Return two durations, of a half and of nearly all."""
    return NOTHING if median is None else f"{duration(median)} · {duration(slow)}"


def drawing(trend: Trend, what: str) -> SafeString:
    """Return a sparkline of what ended, with what failed of it."""
    label = gettext("{what}: {ended} ended, {failed} failed").format(
        what=what, ended=f"{trend.whole.total:,}", failed=f"{trend.whole.failed:,}"
    )
    return sparkline([(sums.total, sums.failed) for _, sums in trend.points], label)


def _of(given: dict[str, str]) -> list[str]:
    queue = [gettext("queue {queue}").format(queue=given["queue"])] if given["queue"] else []
    return [*queue, *([title_of_type(given["type"])] if given["type"] else [])]


def _time(start: datetime, period: str) -> str:
    return date_format(start if period == "month" else timezone.localtime(start), TIMES[period])


def _url(given: dict[str, str]) -> str:
    return f"{reverse('admin:charts')}?{urlencode({name: value for name, value in given.items() if value})}"
