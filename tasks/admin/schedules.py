"""Schedules: when each runs next and what came of the last run; run now, pause, resume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from tasks.admin.access import operator_of
from tasks.admin.confirm import Question, confirm_page
from tasks.admin.formats import link_button, moment, task_link, user_link
from tasks.admin.keyset import KeysetScreen
from tasks.admin.search import users_like
from tasks.errors import TaskError
from tasks.measures import NOTHING
from tasks.models import Schedule, ScheduleRun
from tasks.schedules.fire import run_schedule_now
from tasks.schedules.manage import pause_schedule, resume_schedule, upcoming
from tasks.ui.badge import status_badge

PERMISSION = "tasks.change_schedule"
MOST_REASON = 200
RUNS_SHOWN = 20


@dataclass(frozen=True)
class Verb:
    """Something an operator does to a schedule, after being asked."""

    title: str
    text: str
    button: str
    done: str
    act: Callable[[UUID, User, str], object]
    reason_label: str = ""


VERBS = {
    "run": Verb(
        title="Run {} now?",
        text="Its task is submitted as its owner's, besides the times of the schedule. It counts against their plan.",
        button="Run now",
        done="The task of {} is submitted.",
        act=lambda schedule_id, by, _reason: run_schedule_now(schedule_id, by=by),
    ),
    "pause": Verb(
        title="Pause {}?",
        text="It runs no more until it, or its owner, is told to resume. The owner sees the reason.",
        button="Pause",
        done="{} is paused.",
        act=lambda schedule_id, by, reason: pause_schedule(schedule_id, by=by, reason=reason),
        reason_label="Reason, for the owner and the audit log",
    ),
    "resume": Verb(
        title="Resume {}?",
        text="It runs again at its next time; what was missed is not made up for.",
        button="Resume",
        done="{} runs again.",
        act=lambda schedule_id, by, _reason: resume_schedule(schedule_id, by=by),
    ),
}


class StandingFilter(SimpleListFilter):
    title = "status"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Schedule]) -> list[tuple[str, str]]:
        return [("active", "Active"), ("paused", "Paused"), ("ended", "Ended"), ("refused", "Last run refused")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> QuerySet[Schedule]:
        conditions = {
            "active": Q(next_run_at__isnull=False),
            "paused": Q(paused_at__isnull=False),
            "ended": Q(paused_at=None, next_run_at=None),
            "refused": Q(last_error__isnull=False),
        }
        condition = conditions.get(self.value() or "")
        return queryset if condition is None else queryset.filter(condition)


class ScheduleScreen(KeysetScreen[Schedule]):
    """What is submitted is its owner's: only the type is shown."""

    list_display = ("title", "owner_email", "type", "when", "standing", "next_run", "last")
    list_filter = (StandingFilter,)
    list_select_related = ("owner", "last_task")
    search_fields = ("pk",)
    search_help_text = "The e-mail address of the owner or a part of it"
    actions = None
    fields = (
        "id", "title", "owner_email", "type", "when", "standing", "times", "last", "run_count", "most_runs", "catch_up",
        "overlap", "start_at", "end_at", "created", "runs", "act",
    )  # fmt: skip
    readonly_fields = ("title", "owner_email", "when", "standing", "times", "last", "created", "runs", "act")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        return super().get_queryset(request).defer("input", "metadata")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.list_display, "act") if request.user.has_perm(PERMISSION) else self.list_display

    def get_fields(self, request: HttpRequest, obj: Schedule | None = None) -> tuple[str, ...]:
        return self.fields if request.user.has_perm(PERMISSION) else self.fields[:-1]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Schedule], search_term: str
    ) -> tuple[QuerySet[Schedule], bool]:
        return (queryset.filter(owner__in=users_like(search_term)) if search_term.strip() else queryset), False

    def get_urls(self) -> list[URLPattern]:
        ask = self.admin_site.admin_view(self.ask)
        addresses = [
            path(f"<uuid:schedule_id>/{verb}/", ask, {"verb": verb}, name=f"tasks_schedule_{verb}") for verb in VERBS
        ]
        return addresses + super().get_urls()

    def ask(self, request: HttpRequest, schedule_id: UUID, verb: str) -> HttpResponse:
        """Ask, then run, pause or resume."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied("You may look at schedules, but not run or pause them.")
        schedule = Schedule.objects.filter(pk=schedule_id).first()
        if schedule is None:
            raise Http404("There is no such schedule.")
        found = VERBS[verb]
        if request.method != "POST":
            return confirm_page(
                request,
                Question(
                    title=found.title.format(schedule),
                    text=found.text,
                    button=found.button,
                    back=_list(),
                    reason_label=found.reason_label,
                ),
            )
        try:
            found.act(schedule_id, operator_of(request), request.POST.get("reason", "").strip()[:MOST_REASON])
            messages.success(request, found.done.format(schedule))
        except TaskError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(_list())

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description="schedule")
    def title(self, schedule: Schedule) -> str:
        return str(schedule)

    @admin.display(description="user")
    def owner_email(self, schedule: Schedule) -> SafeString | str:
        return user_link(schedule.owner)

    @admin.display(description="when")
    def when(self, schedule: Schedule) -> str:
        return schedule.when

    @admin.display(description="status")
    def standing(self, schedule: Schedule) -> SafeString:
        tag = status_badge(schedule.status)
        if not schedule.paused_reason:
            return tag
        return format_html('{}<br><span class="muted small">{}</span>', tag, schedule.paused_reason)

    @admin.display(description="next run")
    def next_run(self, schedule: Schedule) -> SafeString | str:
        return moment(schedule.next_run_at)

    @admin.display(description="next runs")
    def times(self, schedule: Schedule) -> SafeString | str:
        return format_html_join(", ", "{}", ((moment(time),) for time in upcoming(schedule))) or NOTHING

    @admin.display(description="last run")
    def last(self, schedule: Schedule) -> SafeString | str:
        if schedule.last_run_at is None:
            return NOTHING
        if schedule.last_error:
            return format_html(
                '{}<br><span class="muted small">{}</span>',
                moment(schedule.last_run_at),
                schedule.last_error["message"],
            )
        task = schedule.last_task
        status = status_badge(task.shown_status) if task else ""
        return format_html("{}<br>{} {}", moment(schedule.last_run_at), status, task_link(schedule.last_task_id))

    @admin.display(description="created")
    def created(self, schedule: Schedule) -> SafeString | str:
        return moment(schedule.created_at)

    @admin.display(description="latest runs")
    def runs(self, schedule: Schedule) -> SafeString | str:
        found = schedule.runs.select_related("task").order_by("-pk")[:RUNS_SHOWN]
        return format_html_join("", "<div>{} {} {}</div>", (_run_row(run) for run in found)) or NOTHING

    @admin.display(description="")
    def act(self, schedule: Schedule) -> SafeString:
        return format_html_join(" ", "{}", ((button,) for button in _buttons(schedule)))


def _buttons(schedule: Schedule) -> Iterator[SafeString]:
    verbs = {"run": "Run now…", **({"resume": "Resume…"} if schedule.paused_at else {"pause": "Pause…"})}
    for verb, label in verbs.items():
        yield link_button(reverse(f"admin:tasks_schedule_{verb}", args=[schedule.pk]), label)


def _run_row(run: ScheduleRun) -> tuple[SafeString | str, SafeString | str, SafeString | str]:
    if run.task is not None:
        return moment(run.due_at), status_badge(run.task.shown_status), task_link(run.task_id)
    return moment(run.due_at), status_badge(run.outcome), (run.error or {}).get("message", "")


def _list() -> str:
    return reverse("admin:tasks_schedule_changelist")
