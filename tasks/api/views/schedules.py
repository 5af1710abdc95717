"""/schedules: submissions that are made at times; and what became of each run."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors
from tasks.api import refusals
from tasks.api.authentication import may_read_tasks
from tasks.api.bodies import read_body, read_query
from tasks.api.content_scopes import require_content_scopes
from tasks.api.idempotency import mark_replayed, once_of
from tasks.api.objects.schedule import Schedule, ScheduleRun, schedule_object, schedule_run_object, without_content
from tasks.api.objects.task import Task
from tasks.api.pagination import PageQuery, answer_page, page_by_id
from tasks.api.schema import ListOf, operation
from tasks.api.views.schedule_bodies import ChangeSchedule, CreateSchedule
from tasks.api.views.tasks import IDEMPOTENCY, CountedView, answer_task
from tasks.api.views.view import ApiView
from tasks.idempotency import do_once
from tasks.models import Schedule as StoredSchedule
from tasks.models.small_json import if_small
from tasks.owned import get_owned
from tasks.schedules.check import check_draft
from tasks.schedules.draft import Draft
from tasks.schedules.fire import run_schedule_now
from tasks.schedules.manage import (
    change_schedule,
    delete_schedule,
    pause_schedule,
    resume_schedule,
    store_schedule,
)

# What may be wrong with what is to be submitted.
CHECKED = (
    errors.InvalidInput, errors.UnknownTaskType, errors.AbovePlan, errors.InvalidFile, errors.InvalidDependency,
    errors.EngineUnavailable,
)  # fmt: skip


class SchedulesView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read", "POST": "tasks:write"}

    @operation(
        "create_schedule",
        tag="schedules",
        body=CreateSchedule,
        parameters=[IDEMPOTENCY],
        answers={201: Schedule},
        headers=["Location", "Idempotency-Replayed"],
        problems=[
            *CHECKED, errors.NotFound, errors.InvalidSchedule, errors.QuotaExceeded, errors.IdempotencyConflict,
            refusals.InvalidParameter,
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Make a schedule.

        Its submission is checked now as at POST /tasks, and again at each run. `upcoming` tells when it will run.
        """
        given = read_body(request, CreateSchedule).given()
        # Now, for good: its runs come without a token, and submit what was allowed here.
        require_content_scopes(request, given["task"], below="/task")
        draft, once = Draft(**given), once_of(request, self.caller)
        if once is None or once.earlier() is None:
            check_draft(self.caller, draft)
        schedule, replayed = do_once(
            once,
            lambda: store_schedule(self.caller, draft),
            id_of=lambda schedule: str(schedule.pk),
            find=lambda id_: get_owned(StoredSchedule, UUID(id_), owner=self.caller),
        )
        response = Response(_shown_to(request, schedule), status=201)
        response["Location"] = response.data["urls"]["self"]
        return mark_replayed(response, replayed)

    @operation("list_schedules", tag="schedules", query=PageQuery, answers={200: ListOf[Schedule]}, headers=["Link"])
    def get(self, request: Request) -> Response:
        """List your schedules, newest first.

        Inputs of more than some kilobytes are null here: they are at `urls.self`.
        """
        query = read_query(request.query_params, PageQuery)
        schedules = StoredSchedule.objects.of(self.caller).defer("input").annotate(small_input=if_small("input"))
        page = page_by_id(schedules, query)
        return answer_page(request, [_listed(schedule) for schedule in page.rows], page.next_cursor)


class ScheduleView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read", "PATCH": "tasks:write", "DELETE": "tasks:write"}

    @operation("get_schedule", tag="schedules", answers={200: Schedule}, problems=[errors.NotFound])
    def get(self, request: Request, schedule_id: UUID) -> Response:
        """Read a schedule."""
        return Response(schedule_object(get_owned(StoredSchedule, schedule_id, owner=self.caller)))

    @operation(
        "change_schedule",
        tag="schedules",
        body=ChangeSchedule,
        answers={200: Schedule},
        problems=[*CHECKED, errors.NotFound, errors.InvalidSchedule],
    )
    def patch(self, request: Request, schedule_id: UUID) -> Response:
        """Change a schedule.

        Fields that are not sent stay as they are; `task` is replaced as a whole. New times count from now.
        """
        given = read_body(request, ChangeSchedule).given()
        if "task" in given:
            require_content_scopes(request, given["task"], below="/task")
        return Response(_shown_to(request, change_schedule(schedule_id, given, owner=self.caller)))

    @operation(
        "delete_schedule",
        tag="schedules",
        answers={204: None},
        problems=[errors.NotFound, refusals.CsrfFailed],
    )
    def delete(self, request: Request, schedule_id: UUID) -> Response:
        """Delete a schedule and the list of its runs. The tasks that it made stay."""
        delete_schedule(schedule_id, by=self.caller, owner=self.caller)
        return Response(status=204)


class RunScheduleView(CountedView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "run_schedule",
        tag="schedules",
        parameters=[IDEMPOTENCY],
        answers={202: Task},
        headers=["Location", "ETag", "Idempotency-Replayed", "RateLimit-Policy", "RateLimit"],
        problems=[
            *CHECKED, errors.NotFound, errors.QuotaExceeded, errors.UserDisabled, errors.Maintenance,
            errors.IdempotencyConflict, refusals.InvalidParameter, refusals.CsrfFailed,
        ],
    )  # fmt: skip
    def post(self, request: Request, schedule_id: UUID) -> Response:
        """Submit its task now.

        Besides its times, which stay as they are; also when it is paused or has ended.
        """
        once = once_of(request, self.caller)
        submitted = run_schedule_now(schedule_id, by=self.caller, owner=self.caller, once=once)
        response = answer_task(request, submitted.task, status=202)
        response["Location"] = response.data["urls"]["self"]
        return mark_replayed(response, submitted.replayed)


class PauseScheduleView(ApiView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "pause_schedule",
        tag="schedules",
        answers={200: Schedule},
        problems=[errors.NotFound, refusals.CsrfFailed],
    )
    def post(self, request: Request, schedule_id: UUID) -> Response:
        """Pause a schedule. Repeating it changes nothing."""
        return Response(_shown_to(request, pause_schedule(schedule_id, by=self.caller, owner=self.caller)))


class ResumeScheduleView(ApiView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "resume_schedule",
        tag="schedules",
        answers={200: Schedule},
        problems=[errors.NotFound, refusals.CsrfFailed],
    )
    def post(self, request: Request, schedule_id: UUID) -> Response:
        """Resume a paused schedule, from now on.

        What was missed meanwhile is not made up for. Repeating it changes nothing.
        """
        return Response(_shown_to(request, resume_schedule(schedule_id, by=self.caller, owner=self.caller)))


class ScheduleRunsView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}

    @operation(
        "list_schedule_runs",
        tag="schedules",
        query=PageQuery,
        answers={200: ListOf[ScheduleRun]},
        headers=["Link"],
        problems=[errors.NotFound],
    )
    def get(self, request: Request, schedule_id: UUID) -> Response:
        """List the runs of a schedule, newest first: each with its task, or why there is none. Kept for thirty days."""
        query = read_query(request.query_params, PageQuery)
        page = page_by_id(get_owned(StoredSchedule, schedule_id, owner=self.caller).runs.all(), query)
        return answer_page(request, [schedule_run_object(run) for run in page.rows], page.next_cursor)


def _listed(schedule: StoredSchedule) -> dict[str, Any]:
    schedule.input = schedule.small_input  # type: ignore[attr-defined]
    return schedule_object(schedule)


def _shown_to(request: Request, schedule: StoredSchedule) -> dict[str, Any]:
    """Return a schedule that the caller has just changed; its content is for those who may read it."""
    shown = schedule_object(schedule)
    return shown if may_read_tasks(request) else without_content(shown)
