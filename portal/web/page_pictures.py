"""Answers with a page of a file as a picture. Who has seen it asks again only for whether it is the same."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response

from portal.web.file_answers import NO_SCRIPTS
from tasks import errors
from tasks.engines.page_picture import WEBP, draw_page, is_drawn
from tasks.files import local_path
from tasks.models import File

logger = logging.getLogger(__name__)

# Of the way in which pages are drawn: another one is another picture.
DRAWING = 1
# Drawn at a time by a web process, for all users and for one: nobody's slow pages keep others from theirs.
MOST_AT_ONCE, MOST_OF_ONE = 2, 1
# The other half of the threads is for everything else, whatever is asked for here.
MOST_WAITING = max(1, settings.WEB_THREADS // 2)
LONGEST_WAIT_SECONDS = 10.0
RETRY_AFTER_SECONDS = 5


class _Turns:
    """Who draws now. Waiting is bounded: a request that waits keeps a thread of the web process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._drawing: list[int] = []
        self._waiting = 0

    @contextmanager
    def take(self, user_id: int) -> Iterator[bool]:
        """Wait for a turn of this user; tell whether there was one."""
        with self._changed:
            has_turn = self._is_free(user_id) or self._wait(user_id)
            if has_turn:
                self._drawing.append(user_id)
        try:
            yield has_turn
        finally:
            if has_turn:
                with self._changed:
                    self._drawing.remove(user_id)
                    self._changed.notify_all()

    def _wait(self, user_id: int) -> bool:
        if self._waiting >= MOST_WAITING:
            return False
        self._waiting += 1
        try:
            return self._changed.wait_for(lambda: self._is_free(user_id), timeout=LONGEST_WAIT_SECONDS)
        finally:
            self._waiting -= 1

    def _is_free(self, user_id: int) -> bool:
        return len(self._drawing) < MOST_AT_ONCE and self._drawing.count(user_id) < MOST_OF_ONE


_turns = _Turns()


def serve_page(request: HttpRequest, file: File, number: int) -> HttpResponseBase:
    """Answer with page `number` of a file, drawn if this browser does not have it; 503 while too many are drawn."""
    if not is_drawn(file.content_type):
        raise Http404("Files of this kind have no pages that can be drawn.")
    # The bytes of an id never change.
    etag = f'"{file.pk}-{number}-{DRAWING}"'
    if (same := get_conditional_response(request, etag=etag)) is not None:
        return same
    if not connection.in_atomic_block:
        # Nobody else's request is to wait for it meanwhile.
        connection.close()
    with _turns.take(file.owner_id) as has_turn:
        picture = _draw(file, number) if has_turn else None
    if picture is None:
        return HttpResponse(status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=3600, immutable",
        "Content-Security-Policy": NO_SCRIPTS,
    }
    return HttpResponse(picture, content_type=WEBP, headers=headers)


def _draw(file: File, number: int) -> bytes | None:
    """Return the picture, None where the machine is at fault."""
    try:
        with tempfile.TemporaryDirectory(prefix="portal-page-") as folder:
            return draw_page(local_path(file, Path(folder)), file.content_type, number)
    except (errors.UnreadableFile, errors.InputTooLarge) as error:
        raise Http404(error.message) from error
    except errors.TaskError as error:
        logger.warning("A page of the file %s could not be drawn: %s", file.pk, error)
        return None
