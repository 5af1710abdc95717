"""/tasks: submit one, list one's own."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import TypeAliasType

from tasks import errors, models
from tasks.api.authentication import may_read_tasks
from tasks.api.bodies import Body, Query, Time, duration, read_body, read_query
from tasks.api.content_scopes import require_content_scopes
from tasks.api.idempotency import KEY, body_digest, idempotency_key
from tasks.api.objects.preview import Preview, preview_object
from tasks.api.objects.task import Task, content_of, least_object, task_object, wait_of_row, without_content
from tasks.api.pagination import answer_page
from tasks.api.rate_limits import note_usage, rate_limit_headers
from tasks.api.refusals import InvalidParameter
from tasks.api.schema import ListOf, operation
from tasks.api.task_list import BY_METADATA, TaskFilters, listed_content, page_of_tasks, read_filters
from tasks.api.views.view import ApiView
from tasks.lifecycle import admit
from tasks.lifecycle.after_commit import after_commit
from tasks.lifecycle.depend import MOST_LISTED_NEEDS
from tasks.lifecycle.explain import explain_briefly
from tasks.lifecycle.preview import preview_task
from tasks.lifecycle.submit import Submission, Submitted, submit_task
from tasks.lifecycle.validate import LEAST_KEEP, MAX_METADATA_KEYS
from tasks.names import LINE_PATTERN, MAX_TAG_LENGTH, MAX_TAGS, MOST_OF_A_LINE

POLL_AFTER_SECONDS = 1
EXAMPLE: dict[str, Any] = {
    "type": "pdf.extract",
    "input": {"file": "01900000-0000-7000-8000-000000000000"},
    "metadata": {"customer": "42"},
    "tags": ["invoice"],
}

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": KEY.pattern},
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
SUBMIT_PROBLEMS: tuple[type[errors.TaskError], ...] = (
    errors.InvalidInput,
    errors.UnknownTaskType,
    errors.AbovePlan,
    errors.InvalidFile,
    errors.InvalidDependency,
    errors.WebhookRefused,
    errors.NotReusable,
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


def _few_keys(value: Any) -> Any:
    # Before the values are looked at: pydantic counts only when none of them is wrong.
    if isinstance(value, dict) and len(value) > MAX_METADATA_KEYS:
        raise PydanticCustomError("out_of_range", "At most {most} keys.", {"most": MAX_METADATA_KEYS})
    return value


# By its name a class in generated clients, the same one wherever a task is described.
Metadata = TypeAliasType(
    "Metadata",
    Annotated[
        dict[str, str | int | float | bool | None], Field(max_length=MAX_METADATA_KEYS), BeforeValidator(_few_keys)
    ],
)
Timeout = Annotated[int, Field(ge=1, le=2**31 - 1), duration(1, 2**31 - 1)]
Keep = Annotated[int, Field(ge=LEAST_KEEP, le=2**31 - 1), duration(LEAST_KEEP, 2**31 - 1)]
Tags = Annotated[list[Annotated[str, Field(min_length=1, max_length=MAX_TAG_LENGTH)]], Field(max_length=MAX_TAGS)]


Name = Annotated[str, Field(min_length=1, max_length=MOST_OF_A_LINE, json_schema_extra={"pattern": LINE_PATTERN})]


class TaskOptions(Body):
    """How a task is to be done; all of it may be left out."""

    name: Name | None = Field(default=None, description="what you call it; one line")

    priority: int | None = Field(default=None, ge=1, le=10, description="1 background, 5 normal, 10 urgent")
    needs: list[TaskId] = Field(
        default=[], max_length=MOST_LISTED_NEEDS, description="tasks that must have succeeded before this one starts"
    )
    after: list[TaskId] = Field(
        default=[],
        max_length=MOST_LISTED_NEEDS,
        description="tasks that must have ended before this one starts, however they did",
    )
    run_after: Time | None = Field(default=None, description="not before this time")
    start_before: Time | None = Field(default=None, description="expire when not started by then")
    timeout: Timeout | None = Field(default=None, description='how long one attempt may take: seconds, or "10m"')
    max_attempts: int | None = Field(default=None, ge=1, le=20)
    keep: Keep | None = Field(
        default=None,
        description='how long input and result are kept once it has ended: seconds, or "12h"; null: as the plan says',
    )
    metadata: Metadata = Field(default={}, description="your own; lists filter by it")
    tags: Tags = Field(default=[], description="your own; lists filter by them")
    webhook: str | None = Field(
        default=None, min_length=1, max_length=2_000, description="id of a webhook endpoint, or a URL: hears of the end"
    )
    on_quota: Literal["reject", "downgrade"] = Field(
        default="reject",
        description=f"when an allowance is spent: refuse, or lower the priority to {admit.HIGHEST_FREE}",
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


class ChangeTask(Body):
    """What is to be different; the rest stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Rent, May"}]})

    name: Name | None = Field(default=None, description="what you call it; null: what the portal would")


class SubmitQuery(Query):
    validate_only: bool = Field(default=False, description="say what would happen, and submit nothing")


class CountedView(ApiView):
    """A view whose POST counts against the plan: whatever it answers tells what is left."""

    counted = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.counted = request.method == "POST"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.counted and final.status_code < 500:
            told = after_commit(
                lambda: rate_limit_headers(self.caller, request), otherwise=lambda: {}, what="telling what is left"
            )
            for name, value in told.items():
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

        The answer comes as soon as the task is stored. Poll `urls.self` until `done` is true; there `queue` has the
        position, too, and when the task may start.
        With `Prefer: wait=N` the answer comes when the task is done, 201, or after N seconds, 202.
        With `reuse` an earlier task that did the same work may be the answer: 201 with `Reused: true`.
        With `validate_only=true` nothing is stored: 200 tells the effective priority, the place in the
        queue, and what it would cost; what would be refused is refused. Asking counts as a submission of the minute.
        """
        query = read_query(request.query_params, SubmitQuery)
        submission = read_body(request, SubmitTask).submission()
        require_content_scopes(request, submission)
        key = idempotency_key(request)
        if query.validate_only:
            return Response(preview_object(preview_task(self.caller, submission)))
        submitted = submit_task(
            self.caller, submission, idempotency_key=key, body_sha256=body_digest(request) if key else ""
        )
        return answer_submitted(request, submitted)

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

        Inputs and results of more than some kilobytes are null here: they are at `urls.self` and `urls.result`.
        Filters are joined by *and*. A page looks at a limited number of tasks: where few match it may hold less than
        `limit`, even nothing, while `has_more` is true; `next_cursor` goes on behind them.
        With `q` those are listed that have all of its words in their name, the names of their files, their tags, their
        input or their result (the first 100,000 characters), each at the beginning of a word; in names also within one.
        Of queued tasks `queue.why` tells `waiting_for_a_slot` or `waiting_for_a_worker`; the position, and whether the
        queue is paused or has no workers, are only told of a single task.
        """
        filters, metadata = read_filters(request.query_params)
        page = page_of_tasks(self.caller, filters, metadata)
        rows = [task_object(task, listed_content(task), wait_of_row(task)) for task in page.rows]
        return answer_page(request, rows, page.next_cursor)


def answer_submitted(request: Request, submitted: Submitted) -> Response:
    """Answer a task that was accepted just now, or the one that the idempotency key gave before."""
    note_usage(request, submitted.usage)
    response = answer_task(request, submitted.task, status=201 if submitted.reused else 202)
    if submitted.reused:
        response["Reused"] = "true"
    response["Location"] = response.data["urls"]["self"]
    if not submitted.task.done:
        response["Retry-After"] = str(POLL_AFTER_SECONDS)
    if submitted.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def answer_task(request: Request, task: models.Task, *, status: int) -> Response:
    """Answer a task to which something was done just now, read with its content: why it waits, and its ETag.

    The content is for those who may read it: what the caller does to a task needs another scope. The place in the line
    is for those who ask: to count what stands before it costs more than all else of a submission.
    """
    wait = after_commit(
        lambda: explain_briefly(task), otherwise=lambda: wait_of_row(task), what="explaining why the task waits"
    )

    def whole() -> dict[str, Any]:
        shown = task_object(task, content_of(task), wait)
        return shown if may_read_tasks(request) else without_content(shown)

    shown = after_commit(whole, otherwise=lambda: least_object(task), what="writing the task down")
    response = Response(shown, status=status)
    response["ETag"] = task.etag
    return response
