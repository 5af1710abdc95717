"""How a view hands a request over to the event loop: what it found out about the caller and the task."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from tasks.api.authentication import HANDOVER, caller_of
from tasks.api.refusals import InvalidParameter, NotAcceptable
from tasks.api.streams.places import places
from tasks.models import Task

MEDIA_TYPE = "text/event-stream"
# The last event that the client has: an event's number; with `-v`, the version of the task whose end it was told.
TASK_POSITION = re.compile(r"(\d{1,18})(?:-v(\d{1,9}))?")
# An event's number, and milliseconds since 1970 by the database's clock: with more digits Python knows no such year.
OWNER_POSITION = re.compile(r"(\d{1,18})-(\d{1,13})")


@dataclass(frozen=True)
class Opened:
    """A stream that may begin: the caller has a place, which whoever runs the stream gives back."""

    owner_id: int
    task_id: UUID | None
    # The number of the event after which to begin; of a whole user's stream None: with what happens from now on.
    after: int | None
    since_ms: int = 0


@dataclass
class Handover:
    """Travels in the ASGI scope to the view and back. `is_check`: only ask whether the caller still may."""

    is_check: bool = False
    caller_id: int | None = None
    token_id: str | None = None
    opened: Opened | None = None

    def close(self) -> None:
        """Give the place back, if one was taken."""
        opened, self.opened = self.opened, None
        if opened is not None:
            places.leave(opened.owner_id)


class EventStreamRenderer(BaseRenderer):
    """Lets DRF agree on the media type; it renders nothing."""

    media_type = MEDIA_TYPE
    format = "event-stream"
    charset = None

    def render(self, data: object, *_: object, **__: object) -> bytes:
        raise AssertionError("a stream is not rendered by DRF")


def wants_stream(request: Request) -> bool:
    """Say whether DRF agreed with the client on an event stream."""
    return bool(request.accepted_renderer.media_type == MEDIA_TYPE)


def open_task_stream(request: Request, task: Task) -> HttpResponse:
    """Begin the stream of one task, which the caller may see. 204 tells a browser that it has seen the end.

    Raises:
        NotAcceptable: this process serves no streams.
        InvalidParameter: the Last-Event-ID is none of ours.
        TooManyStreams: the caller, or this process, has too many of them.
    """
    handover = _handover(request._request)
    position = _position(request, TASK_POSITION)
    if position and position[2] and task.done and int(position[2]) == task.version:
        return HttpResponse(status=204)
    return _open(handover, Opened(_owner(request), task.pk, int(position[1]) if position else 0))


def open_owner_stream(request: Request) -> HttpResponse:
    """Begin the stream of all tasks of the caller. Raises as `open_task_stream`."""
    handover = _handover(request._request)
    position = _position(request, OWNER_POSITION)
    if position is None:
        return _open(handover, Opened(_owner(request), None, None))
    return _open(handover, Opened(_owner(request), None, int(position[1]), int(position[2])))


def _open(handover: Handover, opened: Opened) -> HttpResponse:
    if not handover.is_check:
        places.take(opened.owner_id)
        handover.opened = opened
    # Proxies that gather answers would keep the events back: nginx heeds this header.
    return HttpResponse(content_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})


def _handover(request: HttpRequest) -> Handover:
    found = request.META.get("asgi.scope", {}).get(HANDOVER)
    if not isinstance(found, Handover):
        raise NotAcceptable("This server process serves no streams; send these requests to the one of portal.asgi.")
    return found


def _owner(request: Request) -> int:
    return caller_of(request).pk


def _position(request: Request, form: re.Pattern[str]) -> re.Match[str] | None:
    given = request.headers.get("Last-Event-ID", "")
    if not given:
        return None
    found = form.fullmatch(given)
    if found is None:
        detail = "The Last-Event-ID is not from this stream."
        raise InvalidParameter.at("/Last-Event-ID", "invalid_parameter", detail)
    return found
