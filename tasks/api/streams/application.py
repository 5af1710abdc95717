"""The ASGI application of requests that may wait; everything else goes to the views in threads."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable
from functools import partial

from django.db import InterfaceError, OperationalError

from tasks.api.streams.all_tasks import AllTasks, Position
from tasks.api.streams.ask import Application, Receive, Scope, Send, ask
from tasks.api.streams.follow import Following, follow
from tasks.api.streams.handover import MEDIA_TYPE, Handover, Opened
from tasks.api.streams.leaving import when_gone
from tasks.api.streams.long_poll import TASK_PATH, answer_poll, answer_submission, wanted_seconds
from tasks.api.streams.one_task import OneTask
from tasks.api.streams.reads import in_thread, is_good_for_reading
from tasks.api.streams.wake import Wake
from tasks.api.streams.wire import Slow, Wire

logger = logging.getLogger(__name__)

API = "/api/v1/"
TASKS_PATH = "/api/v1/tasks"
EVENTS_PATH = re.compile(TASK_PATH.pattern + "/events|/api/v1/events")
OF_A_WHOLE_BODY = (b"content-length", b"content-type")


def waiting_answer(views: Application, scope: Scope, receive: Receive, send: Send) -> Awaitable[None] | None:
    """Return what answers a request that may wait; None for all others. Looks at the path and two headers.

    Args:
        views: the application of everything else, which runs the views in threads.
    """
    path, method = scope["path"], scope["method"]
    if not path.startswith(API):
        return None
    if method == "GET" and EVENTS_PATH.fullmatch(path):
        is_stream = path == "/api/v1/events" or MEDIA_TYPE in _header(scope, b"accept").lower()
        return answer_stream(views, scope, receive, send) if is_stream else None
    if (method == "POST" and path == TASKS_PATH) or (method == "GET" and TASK_PATH.fullmatch(path)):
        seconds = wanted_seconds(_header(scope, b"prefer"))
        wait = answer_submission if method == "POST" else answer_poll
        return wait(views, scope, receive, send, seconds) if seconds else None
    return None


async def answer_stream(views: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with server-sent events, when the view says so; otherwise with what the view answers."""
    handover = Handover()
    try:
        opening = await ask(views, scope, handover)
        if handover.opened is None or opening.status != 200:
            await opening.send(send)
            return
        headers = [pair for pair in opening.headers if pair[0] not in OF_A_WHOLE_BODY]
        may_go_on = partial(_may_go_on, views, scope)
        opened = handover.opened
        wake = _wake(opened, handover.token_id)
        wire = Wire(send, wake)
        with wake.listening():
            async with when_gone(receive, wake):
                await wire.start([*headers, (b"content-type", MEDIA_TYPE.encode())])
                await follow(_following(wire, opened), wake, wire, may_go_on)
                await wire.end()
    except Slow:
        logger.info("A stream is dropped: its client does not read.")
    finally:
        handover.close()


async def _may_go_on(views: Application, scope: Scope) -> bool:
    if header := _header(scope, b"authorization"):
        try:
            return await in_thread(is_good_for_reading, header)
        except (OperationalError, InterfaceError):
            # The database is away, which does not speak against the stream.
            return True
    # A session: the long way, which knows all that may end one.
    answer = await ask(views, scope, Handover(is_check=True))
    # 5xx: the database is away. 429: the caller may, but reads too much elsewhere. Neither speaks against the stream.
    return answer.status < 400 or answer.status == 429 or answer.status >= 500


def _wake(opened: Opened, token_id: str | None) -> Wake:
    if opened.task_id is None:
        return Wake(owner_id=opened.owner_id, token_id=token_id)
    return Wake(task_id=str(opened.task_id), token_id=token_id)


def _following(wire: Wire, opened: Opened) -> Following:
    if opened.task_id is not None:
        return OneTask(wire, task_id=opened.task_id, owner_id=opened.owner_id, after=opened.after or 0)
    resumed = None if opened.after is None else Position(opened.after, opened.since_ms)
    return AllTasks(wire, owner_id=opened.owner_id, resumed=resumed)


def _header(scope: Scope, name: bytes) -> str:
    return ",".join(value.decode("latin-1") for given, value in scope["headers"] if given == name)
