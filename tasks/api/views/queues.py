"""/queues: how crowded each line is; for operators, how the whole system goes."""

from __future__ import annotations

from typing import ClassVar, cast

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken, User
from tasks import errors
from tasks.api.bodies import read_query
from tasks.api.objects.queue import Queue, queue_object
from tasks.api.pagination import NamedPageQuery, answer_page, page_by_name
from tasks.api.schema import ListOf, operation
from tasks.api.views.view import ApiView
from tasks.figures.queues import read_queues


class QueuesView(ApiView):
    scopes: ClassVar = {"GET": ("tasks:read", "tasks:write")}

    @operation("list_queues", tag="queues", query=NamedPageQuery, answers={200: ListOf[Queue]}, headers=["Link"])
    def get(self, request: Request) -> Response:
        """List the queues, by name.

        With what waits and runs there of yours, and whether to hold back. `system` is for operators (a session, or
        a token with the scope `operate`).
        """
        query = read_query(request.query_params, NamedPageQuery)
        named = {figures.queue.name: figures for figures in read_queues(self.caller)}
        shown, next_cursor = page_by_name(named, query)
        for_operator = _operates(request)
        return answer_page(
            request, [queue_object(figures, for_operator=for_operator) for figures in shown], next_cursor
        )


class QueueView(ApiView):
    scopes: ClassVar = {"GET": ("tasks:read", "tasks:write")}

    @operation("get_queue", tag="queues", answers={200: Queue}, problems=[errors.NotFound])
    def get(self, request: Request, queue_name: str) -> Response:
        """Read one queue."""
        named = {figures.queue.name: figures for figures in read_queues(self.caller)}
        if queue_name not in named:
            raise errors.NotFound(f"There is no queue {queue_name!r}.")
        return Response(queue_object(named[queue_name], for_operator=_operates(request)))


def _operates(request: Request) -> bool:
    token = cast("ApiToken | None", request.auth)
    return cast(User, request.user).is_staff and (token is None or "operate" in token.scopes)
