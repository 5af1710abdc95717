"""/tasks/{id}/attempts, /events and /result: the parts of a task that are read by themselves."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors
from tasks.api.bodies import Query, read_query
from tasks.api.objects.attempt import Attempt, attempt_object, running_attempt_object
from tasks.api.objects.event import Event, event_object
from tasks.api.objects.shape import Shape
from tasks.api.objects.task import content_of
from tasks.api.pagination import NumberedPageQuery, answer_page, page_by_id
from tasks.api.refusals import InvalidParameter, NoResult, TooManyStreams
from tasks.api.schema import ListOf, operation
from tasks.api.streams.handover import MEDIA_TYPE, EventStreamRenderer, open_task_stream, wants_stream
from tasks.api.views.events import EVENTS, last_event_id
from tasks.api.views.view import ApiView
from tasks.models import Task
from tasks.owned import get_owned
from tasks.statuses import Status


class Result(Shape):
    """As the task type's result schema says."""

    model_config = {"extra": "allow"}

    engine: dict[str, Any]


def find_own(view: ApiView, task_id: UUID) -> Task:
    """Return a task of the caller with its content and node.

    Raises:
        NotFound: there is none.
    """
    return get_owned(Task.objects.select_related("content", "node"), task_id, owner=view.caller)


def find_result(view: ApiView, task_id: UUID) -> Any:
    """Return the result of a task of the caller.

    Raises:
        NotFound: there is no such task.
        NoResult: it has not succeeded, or not yet.
        ContentPurged: its result was deleted.
    """
    task = find_own(view, task_id)
    content = content_of(task)
    if task.status != Status.SUCCEEDED:
        why = task.error["message"] if task.error else ""
        raise NoResult(f"The task is {task.shown_status} and has no result. {why}".strip())
    if content is None:
        raise errors.ContentPurged
    return content.result


class AttemptsView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}

    @operation(
        "list_attempts",
        tag="tasks",
        query=NumberedPageQuery,
        answers={200: ListOf[Attempt]},
        headers=["Link"],
        problems=[errors.NotFound],
    )
    def get(self, request: Request, task_id: UUID) -> Response:
        """List the attempts of a task, oldest first.

        The running one is the last.
        """
        query = read_query(request.query_params, NumberedPageQuery)
        task = find_own(self, task_id)
        page = page_by_id(task.attempts.select_related("node"), query, newest_first=False)
        data = [attempt_object(attempt) for attempt in page.rows]
        if task.status == Status.RUNNING and page.next_cursor is None:
            data.append(running_attempt_object(task))
        return answer_page(request, data, page.next_cursor)


class EventsView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}
    renderer_classes = (JSONRenderer, EventStreamRenderer)

    @operation(
        "list_events",
        tag="tasks",
        query=NumberedPageQuery,
        parameters=[last_event_id()],
        answers={200: ListOf[Event], 204: None},
        streams={200: {MEDIA_TYPE: EVENTS}},
        headers=["Link"],
        problems=[errors.NotFound, InvalidParameter, TooManyStreams],
    )
    def get(self, request: Request, task_id: UUID) -> HttpResponse:
        """List or stream what a task said, oldest first.

        Progress, log lines and streamed output. `cursor` goes on where the last page ended.

        With `Accept: text/event-stream` they come as server-sent events, as they happen: `task` (the whole object) when
        the stream opens and when the task changes, `progress`, `log` and `output` as in the list, and at the end `done`
        (the whole object). `Last-Event-ID` goes on after an event; a client that has seen the end gets 204.
        """
        if wants_stream(request):
            read_query(request.query_params, Query)
            return open_task_stream(request, find_own(self, task_id))
        query = read_query(request.query_params, NumberedPageQuery)
        task = find_own(self, task_id)
        page = page_by_id(task.events.all(), query, newest_first=False)
        return answer_page(request, [event_object(event) for event in page.rows], page.next_cursor)


class ResultView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}

    @operation(
        "get_result", tag="tasks", answers={200: Result}, problems=[errors.NotFound, NoResult, errors.ContentPurged]
    )
    def get(self, request: Request, task_id: UUID) -> Response:
        """Read the result alone.

        409 while there is none, and 410 once it was purged.
        """
        return Response(find_result(self, task_id))
