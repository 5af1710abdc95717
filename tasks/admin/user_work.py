"""A user's work, for operators: slots and quota now, why tasks wait, usage by day, what failed last; and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from tasks.admin.boosts import GIVE
from tasks.admin.charts import Cell, Chart, Column, Row
from tasks.figures.bounded import bounded_queries
from tasks.figures.depths import at_least
from tasks.figures.quota import read_quota
from tasks.figures.usage import DayOfType, first_day, read_usage
from tasks.lifecycle.explain import explain_briefly
from tasks.measures import size_text
from tasks.models import Lane, Task
from tasks.operations.action import Words
from tasks.operations.task_filter import MOST_ID
from tasks.statuses import NOT_STARTED, Status
from tasks.ui.badge import status_badge
from tasks.ui.words import WAITS

DAYS = 30
MOST_FAILED = 10
# So many of what has not started are asked why; the others are said to be more.
MOST_WAITING = 500


class Used(NamedTuple):
    """A limit: what is used of it, and what there is."""

    title: str
    used: str
    limit: str


class WhyWaiting(NamedTuple):
    text: Words
    tasks: str


def page(screen: Any, request: HttpRequest, user_id: int) -> HttpResponse:
    """Show the page.

    Raises:
        PermissionDenied: may not see users, or not tasks.
        Http404: no such user.
    """
    user = User.objects.select_related("plan").filter(pk=min(user_id, MOST_ID)).first()
    if not (screen.has_view_permission(request, user) and request.user.has_perm("tasks.view_task")):
        raise PermissionDenied
    if user is None:
        raise Http404("There is no such user.")
    with bounded_queries():
        context = screen.admin_site.each_context(request) | {
            "title": user.email,
            "person": user,
            "standing": status_badge("active" if user.is_active else "held_user"),
            "lanes": list(Lane.objects.filter(user=user).order_by("cluster")),
            "used": list(_quota(user)),
            "waiting": _waiting(user),
            "charts": [_chart(read_usage(user, since=first_day(DAYS)))],
            "failed": _failed(user),
            "listed": reverse("admin:tasks_task_changelist", query={"q": user.email}),
            "buttons": list(_buttons(screen, request, user)),
        }
    return TemplateResponse(request, "admin/accounts/user/work.html", context)


def _quota(user: User) -> Iterator[Used]:
    """Yield what is used of each limit that has something to use."""
    quota = read_quota(user)
    counts = [
        (gettext("Not started"), quota["held"], quota["max_waiting"]),
        (gettext("Submitted today"), quota["allowances"]["day"]["used"], quota["allowances"]["day"]["limit"]),
        (gettext("In the last minute"), quota["allowances"]["burst"]["used"], quota["allowances"]["burst"]["limit"]),
        (gettext("High priority today"), quota["allowances"]["high"]["used"], quota["allowances"]["high"]["limit"]),
        (gettext("Urgent today"), quota["allowances"]["urgent"]["used"], quota["allowances"]["urgent"]["limit"]),
    ]
    for title, used, limit in counts:
        yield Used(title, f"{used:,}", gettext("no limit") if limit is None else f"{limit:,}")
    files = quota["files"]
    yield Used(gettext("Files"), size_text(files["bytes"]), size_text(files["limit"]))


def _waiting(user: User) -> list[WhyWaiting]:
    """Return why tasks have not started, the most frequent reason first."""
    newest = Task.objects.of(user).filter(status__in=NOT_STARTED).order_by("-pk")
    tasks = list(newest.select_related(None)[: MOST_WAITING + 1])
    reasons = Counter(explain_briefly(task).why or "" for task in tasks[:MOST_WAITING])
    is_cut = len(tasks) > MOST_WAITING
    return [
        WhyWaiting(WAITS[why].told_to_operators, at_least(count, is_cut))
        for why, count in reasons.most_common()
        if why in WAITS
    ]


def _chart(rows: Sequence[DayOfType]) -> Chart:
    today = timezone.now().astimezone(UTC).date()
    counts = {today - timedelta(days=back): [0, 0] for back in range(DAYS - 1, -1, -1)}
    for row in rows:
        if row.day in counts:
            counts[row.day][0] += row.succeeded
            counts[row.day][1] += row.failed
    return Chart(
        "usage", gettext_lazy("Attempts by day"), "count",
        [Column(gettext_lazy("Succeeded"), "ok"), Column(gettext_lazy("Failed"), "bad")],
        [
            Row(
                date_format(day, "MONTH_DAY_FORMAT"), datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp(),
                [Cell(f"{count:,}", str(count)) for count in both],
            )
            for day, both in counts.items()
        ],
    )  # fmt: skip


def _failed(user: User) -> list[tuple[Task, str]]:
    """Return the last failures, each with the address of its cause."""
    ended = Task.objects.of(user).filter(status__in=[Status.FAILED, Status.CANCELLED, Status.EXPIRED])
    # The index of what ended without success is walked no further than this.
    recent = ended.order_by("-pk").values("pk")[:MOST_WAITING]
    failed = Task.objects.filter(pk__in=recent, status=Status.FAILED).order_by("-pk").select_related("failure")
    return [(task, _cause_url(task)) for task in failed[:MOST_FAILED]]


def _cause_url(task: Task) -> str:
    failure = getattr(task, "failure", None)
    return reverse("admin:tasks_cause_change", args=[failure.cause_id]) if failure else ""


class Button(NamedTuple):
    """What the person may do: asked first on a page of its own, or done at once."""

    words: str
    url: str
    tone: str
    is_at_once: bool = False


def _buttons(screen: Any, request: HttpRequest, user: User) -> Iterator[Button]:
    if request.user.has_perm(GIVE):
        boost = reverse("admin:accounts_user_boost", args=[user.pk])
        yield Button(gettext("Boost for a day…"), f"{boost}?days=1", "primary")
        yield Button(gettext("Boost for a week…"), f"{boost}?days=7", "")
    for action in screen.offered(request, user):
        words = f"{getattr(action, 'for_all_label', '') or action.label}"
        url = screen.action_url(user, action)
        yield Button(f"{words}…" if action.text else words, url, action.tone, is_at_once=not action.text)
