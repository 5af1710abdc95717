"""The short way to GET /tasks/{id} with a token, the most frequent request by far.

The way through sessions, CSRF, messages, URL patterns and sign-in takes as long as the answer itself, and a token needs
none of it. Everything else, including a poll with the portal's session, goes the long way to the same function.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from tasks import errors
from tasks.api import problems
from tasks.api.read_again import AWAY, is_cut_read, read_again
from tasks.api.views.task import poll

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# As Django's converter `uuid` reads ids; of version 7: others are marked, and read in another shape (`compat.marks`).
PATH = re.compile(r"/api/v1/tasks/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})")


class PollMiddleware:
    """Answers polls with a token. Comes after what refuses requests and what sets headers for all answers."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # An empty header names nobody: then the session may.
        if request.method == "GET" and request.META.get("HTTP_AUTHORIZATION"):
            found = PATH.fullmatch(request.path_info)
            if found is not None:
                return _answer(request, UUID(found[1]))
        return self.get_response(request)


def _answer(request: HttpRequest, task_id: UUID) -> HttpResponse:
    try:
        # Refuses foreign hosts, as CommonMiddleware does for others.
        request.get_host()
        response = _poll(request, task_id)
    except (errors.TaskError, DatabaseError, InterfaceError, SuspiciousOperation) as error:
        refusal = problems.refusal_of(error)
        if refusal is None:
            raise
        response = problems.problem(request, refusal)
    if response.status_code != 304:
        response.headers["Content-Length"] = str(len(response.content))
    return response


def _poll(request: HttpRequest, task_id: UUID) -> HttpResponse:
    try:
        return poll(request, task_id)
    except AWAY as error:
        if not is_cut_read(request, error):
            raise
    return read_again(request, lambda: poll(request, task_id))
