"""/events: everything that happens to the caller's tasks, as server-sent events."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from tasks.api.refusals import InvalidParameter, TooManyStreams
from tasks.api.schema import operation
from tasks.api.streams.handover import MEDIA_TYPE, OWNER_POSITION, EventStreamRenderer, open_owner_stream
from tasks.api.views.view import ApiView

# Without a type: generators hand on the text, and fuzzers take the schema for that of a single event.
EVENTS: dict[str, Any] = {"description": "Server-sent events; what is in their data is said above."}


def last_event_id(pattern: str | None = None) -> OpenApiParameter:
    """Describe the header; with the form that it must have, where nothing but a stream is answered."""
    told = "The `id` of the last event of a stream that broke off."
    return OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER, description=told, pattern=pattern)


class UserEventsView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}
    renderer_classes = (EventStreamRenderer,)

    @operation(
        "stream_events",
        tag="tasks",
        # Empty is as if it were not there.
        parameters=[last_event_id(f"^({OWNER_POSITION.pattern})?$")],
        answers={},
        streams={200: {MEDIA_TYPE: EVENTS}},
        problems=[InvalidParameter, TooManyStreams],
    )
    def get(self, request: Request) -> HttpResponse:
        """Stream what happens to your tasks.

        From now on, as server-sent events: `task` (the whole object) when a task changes its status, `done` when it
        ends, and `progress`, `log` and `output` with the `task` that says it. `Last-Event-ID` goes on where a stream
        broke off, within an hour; the last seconds may come twice. `reset` says that too much was missed.
        """
        return open_owner_stream(request)
