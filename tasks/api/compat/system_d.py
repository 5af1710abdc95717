"""System D: a prompt to a language model, formerly FastAPI with Celery.

Its addresses are the portal's own: a submission is told by its body, a task by its id (`marks`).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from pydantic import ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors, registry
from tasks.api.authentication import may_call, may_read_tasks, reader_id
from tasks.api.bodies import Query, read_body, read_query
from tasks.api.compat.marks import new_marked_id, system_of
from tasks.api.compat.submitting import TheirBody, submit_theirs
from tasks.api.compat.words import SYSTEM_D, blind, error_text
from tasks.api.objects.shape import Shape, write_time
from tasks.api.objects.task import content_of
from tasks.api.views.tasks import POLL_AFTER_SECONDS, CountedView
from tasks.lifecycle.read import read_task
from tasks.lifecycle.submission import Submission
from tasks.models import Task, TaskContent
from tasks.statuses import Status

LETTER = "D"
TYPE = "text.generate"
NAMES = {"prompt": "prompt", "model": "model"}
UNKNOWN_MODEL = "unknown_model"


class RunPrompt(TheirBody):
    model_config = ConfigDict(extra="forbid")

    prompt: str
    model: str | None = Field(default=None, description="one that is not known here gives way to the default")


class TaskD(Shape):
    """A task as system D shows it."""

    id: UUID
    status: Literal["PENDING", "PROCESSING", "COMPLETED", "FAILED"]
    prompt: str | None
    model: str | None = Field(description="what wrote the text, or was asked to")
    result: str | None = Field(description="the text, when it is completed")
    engine: registry.EngineInfo | None = Field(description="what did the work")
    error: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


def submits_prompt(request: HttpRequest) -> bool:
    """Say whether a submission is in system D's shape: a prompt, perhaps a model, and nothing else.

    Whatever has another field is a submission of the portal's own with a slip of the pen. That, and what is not JSON,
    is the portal's own view to judge, which says what is wrong with it.
    """
    # A stranger's body is not read: the portal's own view refuses it.
    if request.method != "POST" or not may_call(request, "tasks:write") or b'"prompt"' not in request.body:
        return False
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and "prompt" in body and body.keys() <= RunPrompt.model_fields.keys()


class PromptView(CountedView):
    scopes: ClassVar = {"POST": "tasks:write"}

    def post(self, request: Request) -> Response:
        """Submit a prompt as `text.generate`."""
        body = read_body(request, RunPrompt)
        data = {"prompt": body.prompt} | ({"model": body.model} if body.model else {})
        submission = Submission(TYPE, _with_known_model(data), id=new_marked_id(LETTER))
        submitted = submit_theirs(self.caller, request, submission, NAMES)
        shown = _task_object(submitted.task, content_of(submitted.task))
        hidden = {} if may_read_tasks(request) else blind(shown)
        own = {"prompt": body.prompt, "status": SYSTEM_D.on_submission(submitted)}
        response = Response(shown | hidden | own)
        response["Location"] = f"/api/v1/tasks/{submitted.task.pk}"
        if submitted.replayed:
            response["Idempotency-Replayed"] = "true"
        return response


def _with_known_model(data: dict[str, str]) -> dict[str, str]:
    """Return the input without a model that is not here; other faults are found where it is submitted.

    Its clients name models of their old installation; the result names the one that answered.
    """
    try:
        registry.get_type(TYPE).validate(data)
    except errors.InvalidInput as error:
        if {fault["code"] for fault in error.errors} == {UNKNOWN_MODEL}:
            return {name: value for name, value in data.items() if name != "model"}
    return data


def reads_prompt(request: HttpRequest, task_id: UUID) -> bool:
    """Say whether a request reads a task that system D's route made."""
    return request.method in {"GET", "HEAD"} and system_of(task_id) == LETTER


def poll(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Answer a task in system D's shape.

    Raises:
        NotFound: no such task of the caller.
    """
    owner = reader_id(request, "tasks:read")
    if request.META.get("QUERY_STRING"):
        read_query(request.GET, Query)
    task, content = read_task(task_id, owner)
    headers = {} if task.done else {"Retry-After": str(POLL_AFTER_SECONDS)}
    body = json.dumps(_task_object(task, content), ensure_ascii=False).encode("utf-8", "replace")
    return HttpResponse(body, content_type="application/json", headers=headers)


def _task_object(task: Task, content: TaskContent | None) -> dict[str, Any]:
    """Return a task as system D shows it; `result` is the text, `model` what wrote it, or was asked to."""
    given: dict[str, Any] = content.input if content else {}
    result: dict[str, Any] = (content.result if content else None) or {}
    is_completed = task.status == Status.SUCCEEDED
    return {
        "id": str(task.pk),
        "status": SYSTEM_D.of(task),
        "prompt": given.get("prompt"),
        "model": result.get("model") or given.get("model"),
        "result": result.get("text") if is_completed else None,
        "engine": content.engine if content else None,
        "error": error_text(task),
        "created_at": write_time(task.created_at),
        "started_at": write_time(task.started_at),
        "completed_at": write_time(task.finished_at),
    }
