"""/tasks/{id}: the poll, the hot path of the API; and what a person does to a task."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import update_wrapper
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors, models
from tasks.api import refusals
from tasks.api.authentication import reader_id
from tasks.api.bodies import Query, has_body, read_body, read_query
from tasks.api.content_scopes import require_content_scopes
from tasks.api.idempotency import body_digest, idempotency_key, mark_replayed, once_of
from tasks.api.objects.task import Task
from tasks.api.objects.task_json import task_json
from tasks.api.schema import operation
from tasks.api.views.tasks import (
    IDEMPOTENCY,
    PREFER,
    SUBMIT_PROBLEMS,
    ChangeTask,
    CopyTask,
    CountedView,
    answer_submitted,
    answer_task,
)
from tasks.api.views.view import ApiView
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.copy import copied_submission
from tasks.lifecycle.explain import explain_wait
from tasks.lifecycle.purge import purge_task
from tasks.lifecycle.read import read_row
from tasks.lifecycle.rename import rename_task
from tasks.lifecycle.retry import retry_once
from tasks.lifecycle.submit import Submission, find_submitted, submit_task
from tasks.owned import get_owned

VERSION = re.compile(r'(?:W/)?"v(\d{1,9})-')
POLL_AFTER_SECONDS = 1

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that you have: 304 when it still holds."
)


def poll(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Answer a task: one statement, none of DRF's machinery. 304 is answered before the body is built.

    Raises:
        NotFound: no such task of the caller.
        InvalidParameter: there is a query.
    """
    owner = reader_id(request, "tasks:read")
    if request.META.get("QUERY_STRING"):
        read_query(request.GET, Query)
    known = request.META.get("HTTP_IF_NONE_MATCH", "")
    version = VERSION.match(known)
    task = read_row(task_id, owner, known=int(version[1]) if version else None)
    if known and _matches(known, task.etag):
        unchanged = HttpResponse(status=304, headers={"ETag": task.etag})
        del unchanged.headers["Content-Type"]
        return unchanged
    if task.content_id is None and version:
        # The same version under another status, after a crash: the content was left out in vain.
        task = read_row(task_id, owner)
    response = HttpResponse(
        task_json(task, explain_wait(task)).encode("utf-8", "replace"),
        content_type="application/json",
        headers={"ETag": task.etag},
    )
    if not task.done:
        response.headers["Retry-After"] = str(POLL_AFTER_SECONDS)
    return response


def _matches(header: str, etag: str) -> bool:
    # Weak comparison (RFC 9110, section 13.1.2).
    return header.strip() == "*" or any(given.removeprefix("W/") == etag for given in parse_etags(header))


class TaskView(ApiView):
    """GET goes to the plain function; DRF describes it and answers the other methods."""

    scopes: ClassVar = {"GET": "tasks:read", "PATCH": "tasks:write", "DELETE": "tasks:write"}

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        others = super().as_view(**initkwargs)

        def view(request: HttpRequest, task_id: UUID) -> HttpResponseBase:
            if request.method in {"GET", "HEAD"}:
                return poll(request, task_id)
            return others(request, task_id=task_id)

        # DRF marks its views (csrf_exempt, cls), and drf-spectacular finds them by these marks.
        return update_wrapper(view, others)

    @operation(
        "get_task",
        tag="tasks",
        parameters=[IF_NONE_MATCH, PREFER],
        answers={200: Task, 304: None},
        headers={200: ["ETag", "Retry-After", "Preference-Applied"], 304: ["ETag", "Preference-Applied"]},
        problems=[errors.NotFound],
    )
    def get(self, request: Request, task_id: UUID) -> HttpResponse:
        """Read a task.

        Send the `ETag` of the last answer as `If-None-Match`: 304, without a body, when nothing changed.
        With `Prefer: wait=N` the answer comes when the task has changed; without `If-None-Match`, when it is done.
        """
        return poll(request._request, task_id)

    @operation(
        "change_task",
        tag="tasks",
        body=ChangeTask,
        answers={200: Task},
        headers=["ETag"],
        problems=[errors.NotFound, errors.ContentPurged, errors.InvalidBody],
    )
    def patch(self, request: Request, task_id: UUID) -> Response:
        """Rename a task.

        Whatever its status. Its name is shown in lists and pages and is found by a search; downloads are named by it.
        It is purged with the content.
        """
        body = read_body(request, ChangeTask)
        if "name" in body.model_fields_set:
            task = rename_task(task_id, body.name or "", owner=self.caller)
        else:
            task = get_owned(models.Task.objects.select_related("content"), task_id, owner=self.caller)
        return answer_task(request, task, status=200)

    @operation(
        "delete_task",
        tag="tasks",
        answers={204: None},
        problems=[errors.NotFound, errors.WrongStatus, refusals.CsrfFailed],
    )
    def delete(self, request: Request, task_id: UUID) -> Response:
        """Delete the content of a task.

        What it was given, said and made is deleted, its files too; the task itself stays as a tombstone without
        content. Repeating it changes nothing. A task that has not ended is 409: cancel it first.
        """
        purge_task(task_id, by=self.caller, owner=self.caller)
        return Response(status=204)


class CancelView(ApiView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "cancel_task",
        tag="tasks",
        answers={202: Task},
        headers=["ETag"],
        problems=[errors.NotFound, refusals.CsrfFailed],
    )
    def post(self, request: Request, task_id: UUID) -> Response:
        """Cancel a task.

        A waiting task ends at once, a running one within seconds. Repeating it, or cancelling a task
        that has ended, changes nothing.
        """
        return answer_task(request, cancel_task(task_id, by=self.caller, owner=self.caller), status=202)


class RetryView(CountedView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "retry_task",
        tag="tasks",
        parameters=[IDEMPOTENCY],
        answers={202: Task},
        headers=["ETag", "Idempotency-Replayed", "RateLimit-Policy", "RateLimit"],
        problems=[
            errors.NotFound, errors.WrongStatus, errors.ContentPurged, errors.QuotaExceeded, errors.UserDisabled,
            errors.Maintenance, errors.IdempotencyConflict, refusals.InvalidParameter, refusals.CsrfFailed,
        ],
    )  # fmt: skip
    def post(self, request: Request, task_id: UUID) -> Response:
        """Run a failed, cancelled or expired task again.

        It keeps its id, and its attempts are allowed anew. Repeating it while the task is under way
        changes nothing, nor does repeating it under one key. A task that has succeeded is 409: copy it instead.
        """
        retried = retry_once(once_of(request, self.caller), task_id, by=self.caller, owner=self.caller)
        return mark_replayed(answer_task(request, retried.task, status=202), retried.replayed)


class CopyView(CountedView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "copy_task",
        tag="tasks",
        body=CopyTask,
        parameters=[IDEMPOTENCY],
        answers={202: Task},
        headers=["Location", "Retry-After", "ETag", "Idempotency-Replayed", "RateLimit-Policy", "RateLimit"],
        problems=[errors.NotFound, errors.ContentPurged, *SUBMIT_PROBLEMS],
    )
    def post(self, request: Request, task_id: UUID) -> Response:
        """Submit the same again as a new task.

        Whatever became of the first. Without a body everything is as it was; fields of the body are different in
        the new task, `input` as a whole. `copy_of` names the first. What it takes over is content: a token needs
        `tasks:read`, too.
        """
        changes = (read_body(request, CopyTask) if has_body(request) else CopyTask()).given()
        key = idempotency_key(request)
        digest = body_digest(request) if key else ""
        try:
            submission = copied_submission(task_id, changes, owner=self.caller)
        except errors.ContentPurged:
            # There is nothing left to copy, but perhaps it was copied in time.
            require_content_scopes(request, replace(Submission("", {}, copy_of=task_id), **changes))
            earlier = find_submitted(self.caller, idempotency_key=key, body_sha256=digest)
            if earlier is None:
                raise
            return answer_submitted(request, earlier)
        require_content_scopes(request, submission)
        submitted = submit_task(self.caller, submission, idempotency_key=key, body_sha256=digest)
        return answer_submitted(request, submitted)
