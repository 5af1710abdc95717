"""Schedules: when each runs next and what came of the last run; run now, pause, resume."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from tasks.admin.acting import ActingScreen
from tasks.admin.formats import moment, task_link
from tasks.admin.owned import OwnedScreen
from tasks.measures import NOTHING
from tasks.models import Schedule, ScheduleRun
from tasks.operations.action import Action
from tasks.schedules.fire import run_schedule_now
from tasks.schedules.manage import pause_schedule, resume_schedule, upcoming
from tasks.ui.badge import status_badge
from tasks.ui.sentences import in_language

PERMISSION = "tasks.change_schedule"
RUNS_SHOWN = 20
RUN = Action(
    name="run",
    label=gettext_lazy("Run now"),
    title=gettext_lazy("Run {it} now"),
    done=gettext_lazy("The task of {it} is submitted."),
    permission=PERMISSION,
    text=gettext_lazy(
        "Its task is submitted for its owner now, on top of the schedule's times. It counts against their plan."
    ),
    act=lambda schedule, by, _choice: run_schedule_now(schedule.pk, by=by),
)
PAUSE = Action(
    name="pause",
    label=gettext_lazy("Pause"),
    title=gettext_lazy("Pause {it}"),
    done=gettext_lazy("{it} is paused."),
    permission=PERMISSION,
    text=gettext_lazy("It does not run until an operator or its owner resumes it. The owner sees the reason."),
    form=frozenset({"reason"}),
    reason_label=gettext_lazy("Reason, for the owner and the audit log"),
    act=lambda schedule, by, choice: pause_schedule(schedule.pk, by=by, reason=choice.reason),
)
RESUME = Action(
    name="resume",
    label=gettext_lazy("Resume"),
    title=gettext_lazy("Resume {it}"),
    done=gettext_lazy("{it} runs again."),
    permission=PERMISSION,
    text=gettext_lazy("It runs again at its next time; what was missed is not made up for."),
    act=lambda schedule, by, _choice: resume_schedule(schedule.pk, by=by),
)


class StandingFilter(SimpleListFilter):
    title = gettext_lazy("status")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Schedule]) -> list[tuple[str, str]]:
        return [
            ("active", gettext("Active")),
            ("paused", gettext("Paused")),
            ("ended", gettext("Ended")),
            ("refused", gettext("Last run refused")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> QuerySet[Schedule]:
        conditions = {
            "active": Q(next_run_at__isnull=False),
            "paused": Q(paused_at__isnull=False),
            "ended": Q(paused_at=None, next_run_at=None),
            "refused": Q(last_error__isnull=False),
        }
        condition = conditions.get(self.value() or "")
        return queryset if condition is None else queryset.filter(condition)


class ScheduleScreen(ActingScreen[Schedule], OwnedScreen[Schedule]):
    """What is submitted is its owner's: only the type is shown."""

    list_display = ("title", "owner_email", "type", "when", "standing", "next_run", "last")
    list_filter = (StandingFilter,)
    list_select_related = ("owner", "last_task")
    actions = None
    row_actions = (RUN, PAUSE, RESUME)
    fields = (
        "id", "title", "owner_email", "type", "when", "standing", "times", "last", "run_count", "most_runs", "catch_up",
        "overlap", "start_at", "end_at", "created", "runs", "act",
    )  # fmt: skip
    readonly_fields = ("title", "owner_email", "when", "standing", "times", "last", "created", "runs", "act")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        return super().get_queryset(request).defer("input", "metadata")

    def get_fields(self, request: HttpRequest, obj: Schedule | None = None) -> tuple[str, ...]:
        return self.fields if request.user.has_perm(PERMISSION) else self.fields[:-1]

    def actions_for(self, row: Schedule) -> Sequence[Action]:
        return (RUN, RESUME if row.paused_at else PAUSE)

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("schedule"))
    def title(self, schedule: Schedule) -> str:
        return str(schedule)

    @admin.display(description=gettext_lazy("when"))
    def when(self, schedule: Schedule) -> str:
        return schedule.when

    @admin.display(description=gettext_lazy("status"))
    def standing(self, schedule: Schedule) -> SafeString:
        tag = status_badge(schedule.status)
        if not schedule.paused_reason:
            return tag
        return format_html('{}<br><span class="muted small">{}</span>', tag, in_language(schedule.paused_reason))

    @admin.display(description=gettext_lazy("next run"))
    def next_run(self, schedule: Schedule) -> SafeString | str:
        return moment(schedule.next_run_at)

    @admin.display(description=gettext_lazy("next runs"))
    def times(self, schedule: Schedule) -> SafeString | str:
        return format_html_join(", ", "{}", ((moment(time),) for time in upcoming(schedule))) or NOTHING

    @admin.display(description=gettext_lazy("last run"))
    def last(self, schedule: Schedule) -> SafeString | str:
        if schedule.last_run_at is None:
            return NOTHING
        if schedule.last_error:
            return format_html(
                '{}<br><span class="muted small">{}</span>',
                moment(schedule.last_run_at),
                in_language(schedule.last_error["message"]),
            )
        task = schedule.last_task
        status = status_badge(task.shown_status) if task else ""
        return format_html("{}<br>{} {}", moment(schedule.last_run_at), status, task_link(schedule.last_task_id))

    @admin.display(description=gettext_lazy("latest runs"))
    def runs(self, schedule: Schedule) -> SafeString | str:
        found = schedule.runs.select_related("task").order_by("-pk")[:RUNS_SHOWN]
        return format_html_join("", "<div>{} {} {}</div>", (_run_row(run) for run in found)) or NOTHING

    @admin.display(description=gettext_lazy("actions"))
    def act(self, schedule: Schedule) -> SafeString:
        return self.draw(schedule, self.actions_for(schedule))


def _run_row(run: ScheduleRun) -> tuple[SafeString | str, SafeString | str, SafeString | str]:
    if run.task is not None:
        return moment(run.due_at), status_badge(run.task.shown_status), task_link(run.task_id)
    return moment(run.due_at), status_badge(run.outcome), in_language((run.error or {}).get("message", ""))
