"""One cause of failures: its message, how often and whose, its tasks, what operators said; and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from tasks.admin.access import operator_of
from tasks.admin.failures import drawing, period_of
from tasks.admin.task_actions import SLOW, ask_for_all, posted_action
from tasks.errors import TaskError
from tasks.figures.bounded import bounded_queries
from tasks.figures.failing import PERIODS, spans_of, standing_of
from tasks.models import AuditEntry, Cause, Task
from tasks.operations import causes
from tasks.operations.bulk_action import PERMISSION, bulk_actions, find_bulk_action
from tasks.operations.task_filter import MOST_ID, TaskFilter
from tasks.statuses import Status
from tasks.ui.badge import status_badge

PAGE = 25
MOST_ENTRIES = 100
MOST_OPERATORS = 200
CANCEL_RETRIES = "cancel-retries"


class CauseForm(forms.Form):
    """What an operator says of a cause; each button takes what it needs of it."""

    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=causes.MOST_NOTE,
        widget=AdminTextareaWidget(attrs={"rows": 2}),
    )
    assignee = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Who sees to it"), required=False, empty_label=gettext_lazy("Nobody")
    )
    mute = forms.TypedChoiceField(
        label=gettext_lazy("Mute"), coerce=int, initial=1,
        choices=[
            (1, gettext_lazy("for a day")), (7, gettext_lazy("for a week")), (30, gettext_lazy("for 30 days")),
            (0, gettext_lazy("until it changes: twice as many in a day")),
        ],
    )  # fmt: skip

    def __init__(self, data: Any = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        people = User.objects.filter(is_staff=True, is_active=True).order_by("email")
        field = self.fields["assignee"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = people.filter(pk__in=list(people.values_list("pk", flat=True)[:MOST_OPERATORS]))


Said = Mapping[str, Any]
VERBS: dict[str, Callable[[int, User, Said], None]] = {
    "acknowledge": lambda cause, by, said: causes.acknowledge(cause, by=by, note=said["note"]),
    "reopen": lambda cause, by, said: causes.reopen(cause, by=by, note=said["note"]),
    "assign": lambda cause, by, said: causes.assign(cause, by=by, to=said["assignee"], note=said["note"]),
    "mute": lambda cause, by, said: causes.mute(cause, by=by, days=said["mute"] or None, note=said["note"]),
    "note": lambda cause, by, said: causes.write_note(cause, by=by, note=said["note"]),
}


class CauseView:
    """Two addresses of the admin site that belong to no screen of a table."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def page(self, request: HttpRequest, cause_id: int, form: CauseForm | None = None) -> HttpResponse:
        """Show the cause; `form` is one with mistakes."""
        if not request.user.has_perm("tasks.view_task"):
            raise PermissionDenied
        cause = _find(cause_id)
        form = form or CauseForm(initial={"assignee": cause.assignee_id})
        with bounded_queries():
            facts = _facts(cause, _before(request.GET.get("before", "")))
        may_act = request.user.has_perm(PERMISSION)
        context = (
            self.site.each_context(request)
            | facts
            | {
                "title": cause.code or gettext("Failure"),
                "cause": cause,
                "form": form,
                "may_act": may_act,
                "actions": bulk_actions("failures") if may_act else [],
                "cancel_retries": CANCEL_RETRIES,
            }
        )
        return TemplateResponse(request, "admin/failures/cause.html", context)

    def act(self, request: HttpRequest, cause_id: int, verb: str) -> HttpResponse:
        """Do what a button says: to the cause, or, when that is confirmed, to its tasks."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied("You may look at failures, but not change anything about them.")
        cause = _find(cause_id)
        back = reverse("admin:tasks_cause_change", args=[cause.pk])
        if verb in VERBS:
            return self._say(request, cause, verb, back)
        try:
            if verb == CANCEL_RETRIES:
                wanted = TaskFilter(retries_of=cause.pk)
                return ask_for_all(request, find_bulk_action("cancel"), wanted, back=back)
            action = posted_action(request, verb, place="failures")
            if action is None:
                raise Http404("There is no such action.")
            wanted = TaskFilter(statuses=(Status.FAILED,), cause=cause.pk, ended_after=_ended_after(request))
            return ask_for_all(request, action, wanted, back=back)
        except TaskError as error:
            messages.error(request, error.message)
        except OperationalError:
            messages.error(request, SLOW)
        return HttpResponseRedirect(back)

    def _say(self, request: HttpRequest, cause: Cause, verb: str, back: str) -> HttpResponse:
        form = CauseForm(request.POST)
        # A button takes the note and its own field; what is wrong with another one is not its business.
        wrong = set(form.errors) & {"note", {"assign": "assignee", "mute": "mute"}.get(verb, "note")}
        if wrong:
            return self.page(request, cause.pk, form)
        try:
            VERBS[verb](cause.pk, operator_of(request), form.cleaned_data)
        except TaskError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(back)


def _find(cause_id: int) -> Cause:
    cause = Cause.objects.select_related("assignee").filter(pk=min(cause_id, MOST_ID)).first()
    if cause is None:
        raise Http404("There is no such cause of failures. Those not seen for more than a year are forgotten.")
    return cause


def _facts(cause: Cause, before: datetime | None) -> dict[str, Any]:
    older = {"failure__failed_at__lt": before} if before else {}
    of_it = Task.objects.filter(failure__cause=cause).select_related("owner", "failure").order_by("-failure__failed_at")
    tasks = list(of_it.filter(**older)[: PAGE + 1])
    newest = tasks[0] if tasks and not before else of_it.first()
    spans = {period: spans_of([cause.pk], period)[cause.pk] for period in PERIODS}
    entries = AuditEntry.objects.filter(target_kind="cause", target_id=str(cause.pk)).select_related("actor")
    return {
        "standing": status_badge(standing_of(cause)),
        "is_quiet": standing_of(cause) in {"muted", "acknowledged"},
        "newest": newest,
        "message": _message(newest) or cause.fingerprint,
        "counts": [(period, sum(spans[period])) for period in PERIODS],
        "drawing": drawing(spans["month"], "month"),
        "tasks": [(task, status_badge(task.shown_status)) for task in tasks[:PAGE]],
        "older": urlencode({"before": tasks[PAGE - 1].failure.failed_at.isoformat()}) if len(tasks) > PAGE else "",
        "is_first": before is None,
        "entries": list(entries[:MOST_ENTRIES]),
    }  # fmt: skip


def _message(task: Task | None) -> str:
    """Return what a task failed with; nothing where it is no failure any more, or was purged."""
    error = task.error if task and task.status == Status.FAILED else None
    return str(error.get("message", "")) if error else ""


def _before(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is None or timezone.is_aware(found) else timezone.make_aware(found)


def _ended_after(request: HttpRequest) -> datetime | None:
    """Return since when: the list asks for what failed within its period, the cause's page for all."""
    given = request.POST.get("period")
    return timezone.now() - PERIODS[period_of(given)] if given else None
