"""Schedules: the list, a new one, what became of each run; pause, resume, run now, delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.limits import limits_of
from accounts.models import User
from portal.web.forms.schedule_times import TimesForm, times_of
from portal.web.forms.task_input import InputForm
from portal.web.forms.task_options import OptionsForm
from portal.web.missing import missing_is_404
from portal.web.paging import read_page
from portal.web.people import SignedInRequest
from portal.web.uploads import MOST_UPLOADS, room_of, takes_files
from tasks import errors
from tasks.figures.quota import read_quota
from tasks.lifecycle.submission import Submission
from tasks.models import Schedule
from tasks.owned import get_owned
from tasks.registry import TaskType, all_types, get_type
from tasks.schedules.draft import Draft, draft_of
from tasks.schedules.fire import run_schedule_now
from tasks.schedules.manage import (
    MOST_SCHEDULES,
    change_schedule,
    create_schedule,
    delete_schedule,
    pause_schedule,
    resume_schedule,
    upcoming,
)
from tasks.ui.context import time_zone_of


@login_required
def list_schedules(request: SignedInRequest) -> HttpResponse:
    """Show the user's schedules: all of them, as there are few."""
    schedules = Schedule.objects.of(request.user).select_related("last_task").order_by("-pk")[:MOST_SCHEDULES]
    return render(request, "web/schedules/page.html", {"schedules": schedules})


@login_required
def show(request: SignedInRequest, schedule_id: UUID) -> HttpResponse:
    """Show one schedule with its next times and its runs."""
    schedule = _find(request, schedule_id)
    context = {
        "schedule": schedule,
        "upcoming": upcoming(schedule),
        "page": read_page(schedule.runs.select_related("task"), request, sources=[schedule.runs.all()], size=25),
    }
    return render(request, "web/schedules/schedule.html", context)


@login_required
def choose_type(request: SignedInRequest) -> HttpResponse:
    """Show what can be scheduled."""
    ready = [definition for definition in all_types().values() if definition.readiness().ready]
    return render(request, "web/schedules/types.html", {"types": ready})


@login_required
@takes_files(MOST_UPLOADS)
def create(request: SignedInRequest, type_name: str) -> HttpResponseBase:
    """Show the form of a schedule of this type, or make it."""
    with missing_is_404(errors.UnknownTaskType):
        definition = get_type(type_name)
    forms = _Forms(request, definition)
    if request.method == "POST" and forms.are_valid() and (schedule := forms.save(request.user)):
        messages.success(request, f"The schedule {schedule} is made.")
        return redirect("web:schedule", schedule_id=schedule.pk)
    return _show_form(request, forms, definition)


@login_required
@takes_files(MOST_UPLOADS)
def change(request: SignedInRequest, schedule_id: UUID) -> HttpResponseBase:
    """Show the form of a schedule that there is, or change it."""
    schedule = _find(request, schedule_id)
    with missing_is_404(errors.UnknownTaskType):
        definition = get_type(schedule.type)
    forms = _Forms(request, definition, schedule)
    if request.method == "POST" and forms.are_valid() and forms.save(request.user):
        messages.success(request, gettext("Saved."))
        return redirect("web:schedule", schedule_id=schedule_id)
    return _show_form(request, forms, definition, schedule)


def _show_form(
    request: SignedInRequest, forms: _Forms, definition: TaskType, schedule: Schedule | None = None
) -> HttpResponse:
    context = {
        "type": definition,
        "form": forms.input,
        "options": forms.options,
        "times": forms.times,
        "room": room_of(forms.options.quota),
        "schedule": schedule,
    }
    return render(request, "web/schedules/form.html", context, status=422 if request.method == "POST" else 200)


@login_required
@require_POST
def run(request: SignedInRequest, schedule_id: UUID) -> HttpResponse:
    """Submit its task now, and show the task."""
    try:
        with missing_is_404():
            task = run_schedule_now(schedule_id, by=request.user, owner=request.user).task
    except errors.Refused as error:
        messages.error(request, error.message)
        return redirect("web:schedule", schedule_id=schedule_id)
    return redirect("web:task", task_id=task.pk)


@login_required
@require_POST
def pause(request: SignedInRequest, schedule_id: UUID) -> HttpResponse:
    return _act(request, schedule_id, pause_schedule)


@login_required
@require_POST
def resume(request: SignedInRequest, schedule_id: UUID) -> HttpResponse:
    return _act(request, schedule_id, resume_schedule)


@login_required
@require_POST
def delete(request: SignedInRequest, schedule_id: UUID) -> HttpResponse:
    schedule = _find(request, schedule_id)
    delete_schedule(schedule.pk, by=request.user, owner=request.user)
    messages.success(request, f"The schedule {schedule} is deleted; its tasks are still there.")
    return redirect("web:schedules")


class _Forms:
    """The three parts of the form: what the type takes, how it is done, when."""

    def __init__(self, request: SignedInRequest, definition: TaskType, schedule: Schedule | None = None) -> None:
        """`schedule`: the one that is changed; None for a new one."""
        self._type, self._schedule = definition, schedule
        zone, limits, quota = time_zone_of(request.user), limits_of(request.user), read_quota(request.user)
        if request.method == "POST":
            self.input = InputForm(definition, request.user, request.POST, request.FILES)
            self.options = OptionsForm(definition, limits, quota, request.POST)
            self.times = TimesForm(zone, request.POST)
        else:
            given = schedule.input if schedule else {}
            self.input = InputForm(definition, request.user, initial=given)
            self.options = OptionsForm(definition, limits, quota, initial=_options_of(schedule) if schedule else {})
            self.times = TimesForm(zone, initial=times_of(schedule) if schedule else {})
        # The schedule has times and a name of its own.
        for name in ("run_after", "name"):
            del self.options.fields[name]

    def are_valid(self) -> bool:
        # All are asked, so that all faults are shown at once.
        return all([self.input.is_valid(), self.options.is_valid(), self.times.is_valid()])

    def save(self, user: User) -> Schedule | None:
        """Make or change the schedule, or show why not in the forms and return None."""
        given = {"input": self.input.task_input, **self.options.chosen}
        try:
            if self._schedule is None:
                task = Submission(type=self._type.name, **given)
                return create_schedule(user, Draft(task=task, **self.times.chosen))
            # What the form does not have stays as it is.
            task = replace(draft_of(self._schedule).task, **given)
            return change_schedule(self._schedule.pk, {"task": task, **self.times.chosen}, owner=user)
        except errors.InvalidInput as error:
            self._show(error.errors)
        except errors.Refused as error:
            self.times.add_error(None, error.message)
        return None

    def _show(self, faults: list[errors.Fault]) -> None:
        of_task = [fault for fault in faults if fault.pointer.startswith("/task/")]
        self.times.add_faults([fault for fault in faults if fault not in of_task])
        inner = [fault.moved(fault.pointer.removeprefix("/task")) for fault in of_task]
        self.options.add_faults(self.input.add_faults(inner))


def _options_of(schedule: Schedule) -> dict[str, Any]:
    return {
        "priority": schedule.priority,
        "on_quota": schedule.on_quota == "downgrade",
        "timeout": schedule.timeout_seconds,
        "max_attempts": schedule.max_attempts,
        "tags": ", ".join(schedule.tags),
    }


def _find(request: SignedInRequest, schedule_id: UUID) -> Schedule:
    with missing_is_404():
        return get_owned(Schedule, schedule_id, owner=request.user)


def _act(request: SignedInRequest, schedule_id: UUID, action: Callable[..., Schedule]) -> HttpResponse:
    with missing_is_404():
        action(schedule_id, by=request.user, owner=request.user)
    return redirect("web:schedule", schedule_id=schedule_id)
