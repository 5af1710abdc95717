"""/tasks: submit one, list one's own."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from django.db.models import Q
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from pydantic import BeforeValidator, ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from tasks import errors, models
from tasks.api.bodies import Body, Query, Time, read_body, read_query
from tasks.api.idempotency import body_digest, idempotency_key
from tasks.api.objects.preview import Preview, preview_object
from tasks.api.objects.task import Shown, Task, content_of, task_object, wait_of_row
from tasks.api.pagination import PageQuery, answer_page, page_by_id
from tasks.api.rate_limits import rate_limit_headers
from tasks.api.refusals import InvalidParameter
from tasks.api.schema import ListOf, operation
from tasks.api.views.view import ApiView
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.preview import preview_task
from tasks.lifecycle.submit import Submission, Submitted, submit_task

METADATA = re.compile(r"metadata\[(.{1,200})\]")
POLL_AFTER_SECONDS = 1
MOST_NEEDS = 100
EXAMPLE: dict[str, Any] = {
    "type": "pdf.extract",
    "input": {"file": "01900000-0000-7000-8000-000000000000"},
    "metadata": {"customer": "42"},
    "tags": ["invoice"],
}

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key and body within 24 hours give the first answer again.",
)
SUBMITTED = ("Location", "ETag", "Idempotency-Replayed", "RateLimit-Policy", "RateLimit")
PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="wait=N: the server answers when there is something new, after N seconds (30 at most) in any case.",
)
BY_METADATA = OpenApiParameter(
    "metadata",
    {"type": "object", "additionalProperties": {"type": "string"}},
    OpenApiParameter.QUERY,
    style="deepObject",
    description="metadata[customer]=42: tasks with this value",
)

SUBMIT_PROBLEMS: tuple[type[errors.TaskError], ...] = (
    errors.UnknownTaskType,
    errors.EngineUnavailable,
    errors.IdempotencyConflict,
    errors.QuotaExceeded,
    errors.UserDisabled,
    errors.Maintenance,
    InvalidParameter,
)


def _task_id(value: Any) -> Any:
    # Bodies are strict about types, and JSON has none for ids.
    try:
        return UUID(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError("write the id of a task") from error


TaskId = Annotated[UUID, BeforeValidator(_task_id, json_schema_input_type=UUID)]


class TaskOptions(Body):
    """How a task is to be done; all of it may be left out."""

    priority: int | None = Field(default=None, ge=1, le=10, description="1 background, 5 normal, 10 urgent")
    needs: list[TaskId] = Field(
        default=[], max_length=MOST_NEEDS, description="tasks that must have succeeded before this one starts"
    )
    after: list[TaskId] = Field(
        default=[],
        max_length=MOST_NEEDS,
        description="tasks that must have ended before this one starts, however they did",
    )
    run_after: Time | None = Field(default=None, description="not before this time")
    start_before: Time | None = Field(default=None, description="expire when not started by then")
    timeout: int | None = Field(default=None, ge=1, le=2**31 - 1, description="seconds one attempt may take")
    max_attempts: int | None = Field(default=None, ge=1, le=20)
    metadata: dict[str, str | int | float | bool | None] = Field(default={}, description="your own; lists filter by it")
    tags: list[str] = Field(default=[], description="your own; lists filter by them")
    webhook: str | None = Field(
        default=None, min_length=1, max_length=2_000, description="id of a webhook endpoint, or a URL: hears of the end"
    )
    on_quota: Literal["reject", "downgrade"] = Field(
        default="reject", description="when an allowance is spent: refuse, or lower the priority to 6"
    )

    def given(self) -> dict[str, Any]:
        """Return what was sent, by the field names of `Submission`; null is as good as nothing."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in sent.items() if value is not None}


class SubmitTask(TaskOptions):
    """What to do, and how."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    type: str = Field(description="name of a task type", examples=["pdf.extract"])
    input: dict[str, Any] = Field(default={}, description="as the type's input schema says")
    reuse: bool = Field(
        default=False,
        description="answer with an earlier task of yours that did this work with these engines, if there is one",
    )

    def submission(self) -> Submission:
        """Return it in the core's words."""
        return Submission(**{"input": {}} | self.given())


class CopyTask(TaskOptions):
    """What is to be different from the task that is copied; nothing: the same again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"priority": 7}]})

    input: dict[str, Any] | None = Field(default=None, description="instead of the input; as its schema says")


class SubmitQuery(Query):
    validate_only: bool = Field(default=False, description="say what would happen, and submit nothing")


class TaskFilters(PageQuery):
    """The parameters of the list of tasks."""

    status: list[Shown] = Field(default=[], description="one or several")
    type: str | None = None
    queue: str | None = None
    priority: int | None = Field(default=None, ge=1, le=10, description="the effective one")
    tag: str | None = None
    batch: UUID | None = None
    created_after: Time | None = None
    created_before: Time | None = None


class CountedView(ApiView):
    """A view whose POST counts against the plan: whatever it answers tells what is left."""

    counted = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.counted = request.method == "POST"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.counted and final.status_code < 500:
            for name, value in rate_limit_headers(self.caller).items():
                final.headers[name] = value
        return final


class TasksView(CountedView):
    scopes: ClassVar = {"GET": "tasks:read", "POST": "tasks:write"}

    @operation(
        "submit_task",
        tag="tasks",
        body=SubmitTask,
        query=SubmitQuery,
        parameters=[IDEMPOTENCY, PREFER],
        answers={202: Task, 201: Task, 200: Preview},
        headers={
            202: [*SUBMITTED, "Preference-Applied", "Retry-After"],
            201: [*SUBMITTED, "Preference-Applied", "Reused"],
            200: ["RateLimit-Policy", "RateLimit"],
        },
        problems=SUBMIT_PROBLEMS,
    )
    def post(self, request: Request) -> Response:
        """Submit a task.

        The answer comes as soon as the task is stored. Poll `urls.self` until `done` is true.
        With `Prefer: wait=N` the answer comes when the task is done, 201, or after N seconds, 202.
        With `reuse` an earlier task that did the same work may be the answer: 201 with `Reused: true`.
        With `validate_only=true` nothing is stored: 200 tells the effective priority, the place in the
        queue, and what it would cost; what would be refused is refused.
        """
        query = read_query(request.query_params, SubmitQuery)
        body = read_body(request, SubmitTask)
        if query.validate_only:
            return Response(preview_object(preview_task(self.caller, body.submission())))
        key = idempotency_key(request)
        submitted = submit_task(
            self.caller, body.submission(), idempotency_key=key, body_sha256=body_digest(request) if key else ""
        )
        return answer_submitted(submitted)

    @operation(
        "list_tasks",
        tag="tasks",
        query=TaskFilters,
        parameters=[BY_METADATA],
        answers={200: ListOf[Task]},
        headers=["Link"],
    )
    def get(self, request: Request) -> Response:
        """List your tasks, newest first.

        Filters are joined by *and*. Of queued tasks `queue.why` tells `waiting_for_a_slot` or `waiting_for_a_worker`;
        the position, and whether the queue is paused or has no workers, are only told of a single task.
        """
        filters, metadata = read_filters(request.query_params)
        page = page_by_id(find_tasks(self.caller, filters, metadata), filters)
        rows = [task_object(task, content_of(task), wait_of_row(task)) for task in page.rows]
        return answer_page(request, rows, page.next_cursor)


def answer_submitted(submitted: Submitted) -> Response:
    """Answer a task that was accepted just now, or the one that the idempotency key gave before."""
    response = answer_task(submitted.task, status=201 if submitted.reused else 202)
    if submitted.reused:
        response["Reused"] = "true"
    response["Location"] = response.data["urls"]["self"]
    response["Retry-After"] = str(POLL_AFTER_SECONDS)
    if submitted.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def answer_task(task: models.Task, *, status: int) -> Response:
    """Answer a task that was read with its content, with its place in the queue and its ETag."""
    response = Response(task_object(task, content_of(task), explain_wait(task)), status=status)
    response["ETag"] = task.etag
    return response


def read_filters(query: QueryDict) -> tuple[TaskFilters, dict[str, str]]:
    """Return the filters, and those on metadata by key.

    Raises:
        InvalidParameter: one is unknown or impossible.
    """
    plain = query.copy()
    metadata = {}
    for name in list(plain):
        if found := METADATA.fullmatch(name):
            metadata[found[1]] = str(plain.pop(name)[-1])
    if any("\0" in text for pair in metadata.items() for text in pair):
        raise InvalidParameter("A filter on metadata holds a NUL character.")
    return read_query(plain, TaskFilters), metadata


def find_tasks(user: User, filters: TaskFilters, metadata: dict[str, str]) -> models.task.TaskQuerySet:
    """Return the tasks of a user that match."""
    tasks = models.Task.objects.of(user).select_related("content")
    if filters.status:
        tasks = tasks.shown_as(list(filters.status))
    plain: dict[str, str | int | UUID | datetime | list[str] | None] = {
        "type": filters.type,
        "queue_id": filters.queue,
        "priority": filters.priority,
        "batch_id": filters.batch,
        "created_at__gt": filters.created_after,
        "created_at__lt": filters.created_before,
        "content__tags__contains": [filters.tag] if filters.tag is not None else None,
    }
    tasks = tasks.filter(**{name: value for name, value in plain.items() if value is not None})
    for key, text in metadata.items():
        tasks = tasks.filter(_has_metadata(key, text))
    return tasks


def _has_metadata(key: str, text: str) -> Q:
    """Match the text, and the number or truth value that is written so."""
    match = Q(content__metadata__contains={key: text})
    if text in {"true", "false", "null"}:
        match |= Q(content__metadata__contains={key: {"true": True, "false": False, "null": None}[text]})
    elif re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text):
        match |= Q(content__metadata__contains={key: float(text) if "." in text else int(text)})
    return match
