"""System A: image analysis and answers over documents, formerly FastAPI with Redis and RQ."""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors, models, registry, sql
from tasks.api import refusals
from tasks.api.authentication import may_read_tasks
from tasks.api.bodies import read_body
from tasks.api.compat.marks import new_marked_id, system_of
from tasks.api.compat.pictures import Picture, submit_with_picture
from tasks.api.compat.shapes_a import AcceptedA, AnalyzeImage, AskQuery, CompleteAnswer, QueueCounts, QueueStats, TaskA
from tasks.api.compat.submitting import Names, in_their_words, key_of, submit_theirs
from tasks.api.compat.words import SYSTEM_A, blind, error_text
from tasks.api.objects.task import content_of
from tasks.api.schema import operation
from tasks.api.views.tasks import IDEMPOTENCY, POLL_AFTER_SECONDS, SUBMIT_PROBLEMS, CountedView
from tasks.api.views.view import ApiView
from tasks.figures.clusters import read_clusters
from tasks.figures.depths import CAP
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.read import read_task
from tasks.lifecycle.submit import Submission, Submitted, submit_chain
from tasks.models.ids import new_id
from tasks.statuses import TERMINAL, Status

LETTER = "A"
TAG = "compatibility"
# System A kept results for an hour, and counted what it had.
WINDOW_SECONDS = 3600
# Ended tasks are found by when they were made: those made longer ago are not counted.
LOOK_BACK_SECONDS = 86_400
# Below the milliseconds of a UUIDv7 (RFC 9562, section 5.7).
TIME_BITS = 80

# Names of its queues, by what their tasks are here.
QUEUES = {"image.analyze": "image_analysis", "answer.complete": "answer_generation", "rag.query": "full_query"}

ANALYZE_NAMES = {"question": "query", "url": "image_url", "file": "image_url"}
ANSWER_NAMES = {"question": "query", "context": "context"}


class OwnCount(NamedTuple):
    """A user's tasks of one type."""

    type: str
    queued: int
    started: int
    finished: int
    failed: int


class AnalyzeImageView(CountedView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "system_a_analyze_image", tag=TAG, body=AnalyzeImage, parameters=[IDEMPOTENCY], answers={200: AcceptedA},
        headers=["Idempotency-Replayed", "RateLimit-Policy", "RateLimit"], problems=SUBMIT_PROBLEMS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Analyse a picture, as system A did.

        The same as `image.analyze`.
        """
        body = read_body(request, AnalyzeImage)

        def submit(picture: Picture) -> Submitted:
            submission = Submission("image.analyze", _analysis_of(body.query, picture))
            return submit_theirs(self.caller, request, submission, ANALYZE_NAMES)

        return _accepted(submit_with_picture(self.caller, request, body, submit))


class CompleteAnswerView(CountedView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "system_a_complete_answer", tag=TAG, body=CompleteAnswer, parameters=[IDEMPOTENCY], answers={200: AcceptedA},
        headers=["Idempotency-Replayed", "RateLimit-Policy", "RateLimit"], problems=SUBMIT_PROBLEMS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Answer from a text, as system A did.

        The same as `answer.complete`.
        """
        body = read_body(request, CompleteAnswer)
        data = {"question": body.query, "context": body.context}
        return _submit(self, request, Submission("answer.complete", data), ANSWER_NAMES)


class QueryView(CountedView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "system_a_query", tag=TAG, body=AskQuery, parameters=[IDEMPOTENCY], answers={200: AcceptedA},
        headers=["Idempotency-Replayed", "RateLimit-Policy", "RateLimit"], problems=SUBMIT_PROBLEMS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Answer from a picture or from one's own files, as system A did.

        With a picture two tasks: `image.analyze`, then `answer.complete` over its text, whose id is the answer.
        Without, the same as `rag.query` over all of the caller's files.
        """
        body = read_body(request, AskQuery)
        if not body.image_url and not body.image_base64:
            return _submit(self, request, Submission("rag.query", {"question": body.query}), {"question": "query"})
        return _submit_chain(self, request, body)


class TaskViewA(ApiView):
    scopes: ClassVar = {"GET": "tasks:read", "DELETE": "tasks:write"}

    @operation("system_a_get_task", tag=TAG, answers={200: TaskA}, headers=["Retry-After"], problems=[errors.NotFound])
    def get(self, request: Request, task_id: UUID) -> Response:
        """Read a task in system A's words.

        Whatever made it.
        """
        task, content = read_task(task_id, self.caller.pk)
        return _with_pause(Response(_task_object(task, content)), task)

    @operation(
        "system_a_cancel_task",
        tag=TAG,
        answers={200: TaskA},
        problems=[errors.NotFound, refusals.CsrfFailed],
    )
    def delete(self, request: Request, task_id: UUID) -> Response:
        """Cancel a task.

        Of a query with a picture also the analysis that it waits for. Repeating it changes nothing.
        """
        task = cancel_task(task_id, by=self.caller, owner=self.caller)
        if system_of(task_id) == LETTER:
            for needed in task.dependencies.values_list("needs", flat=True):
                cancel_task(needed, by=self.caller, owner=self.caller)
        shown = _task_object(task, content_of(task))
        return Response(shown if may_read_tasks(request) else shown | blind(shown))


class QueueStatsView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}

    @operation("system_a_queue_stats", tag=TAG, answers={200: QueueStats})
    def get(self, request: Request) -> Response:
        """Count one's tasks by queue, as system A did.

        What ended is counted for an hour.
        """
        since = UUID(int=int((time.time() - LOOK_BACK_SECONDS) * 1000) << TIME_BITS)
        given = {"owner": self.caller.pk, "since": since, "window": WINDOW_SECONDS, "cap": CAP}
        rows = sql.run("figures/own_counts", given, row=OwnCount)
        counts = {row.type: {name: getattr(row, name) for name in QueueCounts.model_fields} for row in rows}
        nothing = dict.fromkeys(QueueCounts.model_fields, 0)
        return Response({queue: counts.get(type_, nothing) for type_, queue in QUEUES.items()})


@csrf_exempt
@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """Say how the installation is; public. Without a database this is a problem with 503, like everything here."""
    workers = _workers()
    # It answered with the number of workers.
    stand = {"timestamp": time.time(), "redis_connected": True, "workers": workers}
    return JsonResponse({"status": "ok" if workers else "degraded"} | stand)


def _submit(view: CountedView, request: Request, submission: Submission, names: Names) -> Response:
    submitted = submit_theirs(view.caller, request, submission, names)
    return _accepted(submitted)


def _submit_chain(view: CountedView, request: Request, body: AskQuery) -> Response:
    """Submit the analysis, and the answer that waits for it: both, or neither."""

    def submit(picture: Picture) -> Submitted:
        analysis = Submission("image.analyze", _analysis_of(body.query, picture), id=new_id())
        data = {"question": body.query, "context": {"$from": str(analysis.id), "path": "text"}}
        answer = Submission("answer.complete", data, id=new_marked_id(LETTER))
        with in_their_words(ANALYZE_NAMES | ANSWER_NAMES):
            return submit_chain(view.caller, [analysis, answer], **key_of(request))

    return _accepted(submit_with_picture(view.caller, request, body, submit))


def _analysis_of(query: str, picture: Picture) -> dict[str, Any]:
    return picture.input | ({"question": query} if query.strip() else {})


def _accepted(submitted: Submitted) -> Response:
    task = submitted.task
    told = {
        "message": gettext("The task is accepted. Ask for it by its task_id."),
        "estimated_time": math.ceil(registry.get_type(task.type).est_seconds),
    }
    response = Response({"task_id": str(task.pk), "status": SYSTEM_A.on_submission(submitted)} | told)
    if submitted.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def _task_object(task: models.Task, content: models.TaskContent | None) -> dict[str, Any]:
    is_finished = task.status == Status.SUCCEEDED
    return {
        "task_id": str(task.pk),
        "status": SYSTEM_A.of(task),
        "progress": 100 if is_finished else int(100 * (task.progress_fraction or 0)),
        "stage": task.progress_stage or None,
        "result": content.result if content and is_finished else None,
        "error": error_text(task),
        "elapsed_time": _seconds_between(task.started_at, task.finished_at),
    }


def _seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None


def _with_pause(response: Response, task: models.Task) -> Response:
    if task.status not in TERMINAL:
        response["Retry-After"] = str(POLL_AFTER_SECONDS)
    return response


def _workers() -> int:
    return sum(cluster.workers for cluster in read_clusters())
